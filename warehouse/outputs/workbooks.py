"""Files for people: workbooks, because Excel cannot read Parquet and misreads CSV with decimal points."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

LEVELS = ("national", "province", "regency_city")
WIDEST = 480  # pixels
SHOWN = ("index_score", "cut_off", "quality_result", "not_reported", "reporting")
UNIT_COLUMNS = ("region_level", "region_code", "region_name", "approach")
COVERAGE = (
    "indicators_expected",
    "indicators_reported",
    "indicators_reported_zero",
    "indicators_imputed",
    "indicators_missing",
    "indicators_evidenced",
)


def write_workbooks(tables: Path, folder: Path, created: datetime) -> None:
    """Write what people look at, down to regencies and cities: the index with cut-offs and findings, and who has not
    reported what, for those who call the offices.
    """
    frames = {name: _upper(pl.scan_parquet(tables / f"{name}.parquet")).collect() for name in SHOWN}
    missing = frames["not_reported"]
    silent = missing.filter("is_silent")
    sent = missing.filter(~pl.col("is_silent"))
    index = {"Indeks": "index_score", "Batas kategori": "cut_off", "Temuan": "quality_result"}
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "index_score.xlsx", {sheet: frames[table] for sheet, table in index.items()}, created)
    _write(
        folder / "not_reported.xlsx",
        {
            "Kantor tanpa laporan": silent.group_by(UNIT_COLUMNS, maintain_order=True).agg(indicators_missing=pl.len()),
            "Indikator belum dilaporkan": sent.select(*UNIT_COLUMNS, "node_code", "name_id", "name_en", "status"),
            "Cakupan per kantor": frames["reporting"].select(*UNIT_COLUMNS, *COVERAGE),
        },
        created,
    )


def _upper(frame: pl.LazyFrame) -> pl.LazyFrame:
    has_level = "region_level" in frame.collect_schema()
    return frame.filter(pl.col("region_level").is_in(LEVELS)) if has_level else frame


def _write(file: Path, sheets: Mapping[str, pl.DataFrame], created: datetime) -> None:
    """Write a workbook; text never becomes a formula."""
    import xlsxwriter

    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(file), options) as workbook:
        workbook.set_properties({"created": created.replace(tzinfo=None)})
        for sheet, frame in sheets.items():
            frame.write_excel(
                workbook,
                worksheet=sheet,
                column_widths=_widths(frame),
                freeze_panes=(1, 0),
                dtype_formats={pl.Float64: "0.00##"},
            )


def _widths(frame: pl.DataFrame) -> Mapping[Any, int]:
    """How wide columns are in pixels, by their longest text; Excel's own way looks at cells one by one."""
    shown = frame.with_columns(pl.col(pl.Float64).round(4)).select(pl.all().cast(pl.String).str.len_chars().max())
    return {
        name: min(WIDEST, 12 + 7 * max(len(name) + 3, length or 0))  # beside a title stands the mark of its filter
        for name, length in zip(shown.columns, shown.row(0), strict=True)
    }
