"""What is written in any format and layout that is read comes back as it was.

Of the formats that are read XLS is left out: nothing here can write it. OpenDocument is written by hand.
"""

import csv
import gzip
import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

import polars as pl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.contract.dictionary import Unit
from schemas.methodology.library import Library
from schemas.methodology.regions import valid_regions
from schemas.methodology.sources import Headers, Item, Source
from tests.documents import ods
from tests.fuzz.mutations import packed
from transforms.extracts.admission import admission, identified
from transforms.extracts.parse import extract_rows
from transforms.regions.lookup import Lookup, region_lookup

LIBRARY = Library()
ON = date(2024, 1, 1)
VALID = valid_regions(LIBRARY.reference.down_to("regency_city").regions, ON)
REGIONS = dict(VALID.filter(pl.col("level").is_in(["province", "regency_city"])).select("code", "name").rows())
# No unit of the dictionary goes below zero; this one does, so that signs are looked at as well.
DICTIONARY = LIBRARY.dictionary.model_copy(
    update={
        "units": LIBRARY.dictionary.units
        | {
            "difference": Unit(
                lowest=Decimal(-(10**9)), highest=Decimal(10**9), meaning_en="change", meaning_id="perubahan"
            )
        }
    }
)
UNIT_OF = {
    "Skor, akhir": "score_100",
    "Selisih": "difference",
    "Persen": "pct",
    "Bagian": "share",
    'Jumlah "kejadian"': "severity_sum",
}
SEVERITIES = ("Ringan", "Sedang", "Berat")
SEPARATORS = (",", ";", "\t", "|")
STYLES = ("indonesian", "english")
LAYOUTS = ("long", "wide", "events")


class Figure(NamedTuple):
    """One figure of a frame: None where nothing is known."""

    code: str
    item: str
    value: float | None


def values_of(unit: Unit) -> st.SearchStrategy[float | None]:
    """Figures within a domain, with up to four decimals, and blanks."""
    assert unit.lowest is not None
    assert unit.highest is not None
    lowest, highest = int(unit.lowest), int(unit.highest)

    def with_decimals(places: int) -> st.SearchStrategy[float]:
        return st.integers(lowest * 10**places, highest * 10**places).map(lambda units: units / 10**places)

    several = [with_decimals(places) for places in range(5)]
    return st.one_of(st.none(), st.just(0.0), st.sampled_from([float(lowest), float(highest)]), *several)


@st.composite
def frames(draw: st.DrawFn) -> list[Figure]:
    """Regions x items, with a value for each; at least one is not blank."""
    codes = draw(st.lists(st.sampled_from(sorted(REGIONS)), min_size=1, max_size=4, unique=True))
    items = draw(st.lists(st.sampled_from(sorted(UNIT_OF)), min_size=1, max_size=len(UNIT_OF), unique=True))
    figures = [Figure(code, item, draw(values_of(DICTIONARY.units[UNIT_OF[item]]))) for code in codes for item in items]
    if all(figure.value is None for figure in figures):
        figures[0] = figures[0]._replace(value=0.0)
    return figures


@cache
def source_of(layout: str, form: str, style: str, separator: str | None = None, encoding: str | None = None) -> Source:
    """An entry that reads what is written here."""
    return Source.model_validate(
        {
            "title": "invented",
            "pattern": "*",
            "format": form,
            "layout": layout,
            "columns": Headers(
                region=("Kode wilayah",),
                item=() if layout == "wide" else ("Butir",),
                value=() if layout == "wide" else ("Nilai",),
                severity=("Tingkat",) if layout == "events" else (),
                date=("Tanggal",) if layout == "events" else (),
                reference=("Alamat",),
            ).model_dump(),
            "number_style": style,
            "region_key": "code",
            "region_levels": ("province", "regency_city"),
            "unit": "severity_sum",
            "measure": "value",
            "items": {
                label: Item(item=f"i{place}", approach="input", unit=unit).model_dump()
                for place, (label, unit) in enumerate(UNIT_OF.items())
            },
            "precedence": 1,
            "evidence": "A",
            "separator": separator,
            "encoding": encoding,
            "sheet": "Skor" if form in ("xlsx", "ods") else None,
            "missing": ("-", "tidak ada"),
            "severities": {each: each.lower() for each in SEVERITIES},
        }
    )


@cache
def lookup() -> Lookup:
    source = source_of("long", "json", "english")
    return region_lookup(LIBRARY.reference, source, ON)


def counted(figures: Sequence[Figure], layout: str) -> list[Figure]:
    """The figures as a layout can hold them: events are counted, so they are whole."""
    if layout != "events":
        return list(figures)
    return [each if each.value is None else each._replace(value=float(round(each.value))) for each in figures]


def table_of(figures: Sequence[Figure], layout: str) -> list[list[Any]]:
    """The figures as rows of cells below a header."""
    figures = counted(figures, layout)
    address = "https://contoh.invalid/é"
    if layout == "wide":
        # Every label of the entry has its column, as a wide table must.
        found = {(figure.code, figure.item): figure.value for figure in figures}
        codes = list(dict.fromkeys(figure.code for figure in figures))
        head: list[Any] = ["Kode wilayah", *UNIT_OF, "Alamat"]
        return [head, *([code, *(found.get((code, item)) for item in UNIT_OF), address] for code in codes)]
    if layout == "long":
        return [["Kode wilayah", "Butir", "Nilai", "Alamat"], *([*figure, address] for figure in figures)]
    rows = [
        [figure.code, "2024-02-03", figure.item, SEVERITIES[place % 3], figure.value, address]
        for place, figure in enumerate(figures)
    ]
    return [["Kode wilayah", "Tanggal", "Butir", "Tingkat", "Nilai", "Alamat"], *rows]


def number_text(value: float, style: str, grouped: bool) -> str:
    """A number as people of a style write it, with no more decimals than it has."""
    text = f"{value:{',' if grouped else ''}.4f}".rstrip("0").rstrip(".")
    return text.translate(str.maketrans(",.", ".,")) if style == "indonesian" else text


def as_texts(table: Sequence[Sequence[object]], style: str, grouped: bool) -> list[list[str]]:
    def cell(value: object) -> str:
        if isinstance(value, float):
            return number_text(value, style, grouped)
        return "" if value is None else str(value)

    return [[cell(value) for value in row] for row in table]


def csv_bytes(texts: Sequence[Sequence[str]], separator: str, encoding: str) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator="\r\n").writerows(texts)
    return out.getvalue().encode(encoding)


def xlsx_bytes(table: Sequence[Sequence[object]]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Skor")
        for row, cells in enumerate(table):
            for column, cell in enumerate(cells):
                if isinstance(cell, float):
                    sheet.write_number(row, column, cell)
                elif cell is not None:
                    sheet.write_string(row, column, str(cell))
    return out.getvalue()


def records(table: Sequence[Sequence[object]]) -> list[dict[str, object]]:
    return [dict(zip(map(str, table[0]), row, strict=True)) for row in table[1:]]


def json_bytes(table: Sequence[Sequence[object]]) -> bytes:
    return json.dumps(records(table), ensure_ascii=False).encode()


def ndjson_bytes(table: Sequence[Sequence[object]]) -> bytes:
    return "\n".join(json.dumps(record) for record in records(table)).encode()


def parquet_bytes(table: Sequence[Sequence[object]]) -> bytes:
    out = io.BytesIO()
    pl.DataFrame(records(table), infer_schema_length=None).write_parquet(out)
    return out.getvalue()


def read_back(content: bytes, source: Source) -> dict[tuple[str, str], float | None]:
    """The figures that are admitted; nothing may be kept out."""
    rows = identified(extract_rows(content, source), source="invented", file_name="any", extract_sha256="0" * 64)
    read = admission(rows, source, (), lookup(), DICTIONARY)
    assert read.quarantine.is_empty(), read.quarantine.select("row", "rule", "value_text").rows()
    labels = {each.item: label for label, each in source.items.items()}
    found = read.admitted.select("region_code", "source_item", "value").rows()
    assert read.admitted["reference"].unique().to_list() == ["https://contoh.invalid/é"]
    assert len({row[:2] for row in found}) == len(found)
    return {(code, labels[item]): value for code, item, value in found}


def assert_same(content: bytes, source: Source, figures: Sequence[Figure]) -> None:
    sent: Mapping[tuple[str, str], float | None] = {
        (code, item): value for code, item, value in counted(figures, source.layout)
    }
    read = read_back(content, source)
    if source.layout == "wide":  # items that the frame does not have are blank columns
        assert all(value is None for place, value in read.items() if place not in sent)
        read = {place: value for place, value in read.items() if place in sent}
    assert read == sent


def fixed(**more: Any) -> Callable[[Any], Any]:
    def decorate(test: Any) -> Any:
        return settings(deadline=None, suppress_health_check=list(HealthCheck), **more)(test)

    return decorate


NUMBERS: dict[str, Callable[[Sequence[Sequence[object]]], bytes]] = {
    "xlsx": xlsx_bytes,
    "ods": ods,
    "json": json_bytes,
    "ndjson": ndjson_bytes,
    "parquet": parquet_bytes,
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("form", NUMBERS)
@fixed(max_examples=5)
@given(figures=frames(), style=st.sampled_from(STYLES))
def test_number_cells(form: str, layout: str, figures: list[Figure], style: str) -> None:
    assert_same(NUMBERS[form](table_of(figures, layout)), source_of(layout, form, style), figures)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("form", NUMBERS)
@fixed(max_examples=4)
@given(figures=frames(), style=st.sampled_from(STYLES), grouped=st.booleans())
def test_numbers_kept_as_text(form: str, layout: str, figures: list[Figure], style: str, grouped: bool) -> None:
    texts = as_texts(table_of(figures, layout), style, grouped)
    assert_same(NUMBERS[form](texts), source_of(layout, form, style), figures)


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", SEPARATORS)
@fixed(max_examples=3)
@given(figures=frames(), style=st.sampled_from(STYLES), grouped=st.booleans(), told=st.booleans())
def test_text_tables(
    separator: str, encoding: str, layout: str, figures: list[Figure], style: str, grouped: bool, told: bool
) -> None:
    """CSV of every separator (a tab makes it TSV), declared or to be detected."""
    content = csv_bytes(as_texts(table_of(figures, layout), style, grouped), separator, encoding)
    declared = (separator, encoding.removesuffix("-sig")) if told else ("detect", "detect")
    assert_same(content, source_of(layout, "csv", style, *declared), figures)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("form", ["csv", "json"])
@pytest.mark.parametrize("packing", ["gzip", "zip"])
@fixed(max_examples=4)
@given(figures=frames(), style=st.sampled_from(STYLES))
def test_packed_tables(packing: str, form: str, layout: str, figures: list[Figure], style: str) -> None:
    table = table_of(figures, layout)
    plain = csv_bytes(as_texts(table, style, False), ";", "utf-8") if form == "csv" else json_bytes(table)
    content = gzip.compress(plain, mtime=0) if packing == "gzip" else packed([(f"tabel/a.{form}", plain)])
    declared = (";", "utf-8") if form == "csv" else (None, None)
    assert_same(content, source_of(layout, form, style, *declared), figures)


@fixed(max_examples=10)
@given(figures=frames(), style=st.sampled_from(STYLES), luck=st.randoms(use_true_random=False))
def test_the_order_of_rows_and_columns_means_nothing(figures: list[Figure], style: str, luck: Any) -> None:
    table = table_of(figures, "long")
    order = list(range(len(table[0])))
    luck.shuffle(order)
    body = luck.sample(table[1:], len(table) - 1)
    shuffled = [[row[place] for place in order] for row in (table[0], *body)]
    assert_same(xlsx_bytes(shuffled), source_of("long", "xlsx", style), figures)
