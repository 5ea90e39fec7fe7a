"""Files for people: a workbook of the index, because Excel cannot read Parquet and misreads CSV with decimal points."""

from datetime import datetime
from pathlib import Path

import polars as pl

LEVELS = ("national", "province", "regency_city")
SHEETS = {"Indeks": "index_score", "Batas kategori": "cut_off", "Temuan": "quality_result"}


def write_workbook(tables: Path, file: Path, created: datetime) -> None:
    """Write index, cut-offs and findings down to regencies and cities as one workbook; text never becomes a formula."""
    import xlsxwriter

    file.parent.mkdir(parents=True, exist_ok=True)
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(file), options) as workbook:
        workbook.set_properties({"created": created.replace(tzinfo=None)})
        for sheet, table in SHEETS.items():
            frame = pl.read_parquet(tables / f"{table}.parquet")
            if "region_level" in frame.columns:
                frame = frame.filter(pl.col("region_level").is_in(LEVELS))
            frame.write_excel(
                workbook,
                worksheet=sheet,
                autofit=True,
                freeze_panes=(1, 0),
                dtype_formats={pl.Float64: "0.00##"},
            )
