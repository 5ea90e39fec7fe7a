"""Cells whose value is not what it seems, in the formats that say so in their own way; and files that end a reader."""

import io
import zipfile
from decimal import Decimal

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.contract.refusals import Refusal
from schemas.methodology.sources import Source
from tests.documents import ods_of
from tests.properties.test_round_trip import DICTIONARY, lookup, source_of
from transforms.extracts.admission import Admission, admission, identified
from transforms.extracts.parse import extract_rows

HEAD = ("Kode wilayah", "Butir", "Nilai")


def read(content: bytes, source: Source) -> Admission:
    rows = identified(extract_rows(content, source), source="invented", file_name="any", extract_sha256="0" * 64)
    return admission(rows, source, (), lookup(), DICTIONARY)


def ods_row(item: str, cell: str, attributes: str = "") -> str:
    texts = "".join(
        f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'
        for text in ("51", item)
    )
    return f"<table:table-row{attributes}>{texts}{cell}</table:table-row>"


def ods_table(*rows: str) -> bytes:
    head = "".join(
        f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>' for text in HEAD
    )
    return ods_of(
        f'<table:table table:name="Skor"><table:table-row>{head}</table:table-row>{"".join(rows)}</table:table>'
    )


def parquet(values: pa.Array, item: str) -> bytes:
    out = io.BytesIO()
    regions = pl.Series(["51", "11", "12"][: len(values)]).to_arrow()
    items = pl.Series([item] * len(values)).to_arrow()
    pq.write_table(pa.table(dict(zip(HEAD, (regions, items, values), strict=True))), out)
    return out.getvalue()


PERCENTAGE = (
    '<table:table-cell office:value-type="percentage" office:value="0.125"><text:p>12,5%</text:p></table:table-cell>'
)
NUMBER = '<table:table-cell office:value-type="float" office:value="12.5"><text:p>12,5</text:p></table:table-cell>'
ERROR = (
    '<table:table-cell table:formula="of:=1/0" office:value-type="string" office:string-value="" '
    'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0" calcext:value-type="error">'
    "<text:p>#DIV/0!</text:p></table:table-cell>"
)


@pytest.mark.parametrize(("item", "value"), [("Persen", 12.5), ("Bagian", 0.125)])
def test_an_ods_cell_in_per_cent_is_read_in_its_unit(item: str, value: float) -> None:
    found = read(ods_table(ods_row(item, PERCENTAGE)), source_of("long", "ods", "indonesian"))
    assert found.admitted["value"].to_list() == [value]


def test_an_ods_row_that_is_hidden_is_kept_out() -> None:
    rows = ods_row("Persen", NUMBER), ods_row("Bagian", PERCENTAGE, ' table:visibility="collapse"')
    found = read(ods_table(*rows), source_of("long", "ods", "indonesian"))
    assert found.admitted["value"].to_list() == [12.5]
    assert found.quarantine["rule"].to_list() == ["hidden_row"]


def test_an_ods_cell_with_an_error_is_not_blank() -> None:
    found = read(ods_table(ods_row("Persen", ERROR)), source_of("long", "ods", "indonesian"))
    assert found.admitted.is_empty()
    assert found.quarantine["rule"].to_list() == ["error_cell"]


@pytest.mark.parametrize("style", ["indonesian", "english"])
def test_decimals_of_a_parquet_file_are_numbers(style: str) -> None:
    """Read as text, 1.234 would be a thousand times as much in Indonesian style."""
    values = pa.array([Decimal("1.234"), None, Decimal("12.500")], pa.decimal128(10, 3))
    found = read(parquet(values, 'Jumlah "kejadian"'), source_of("long", "parquet", style))
    assert found.quarantine.is_empty()
    assert found.admitted["value"].to_list() == [1.234, None, 12.5]


def test_text_of_a_parquet_file_that_is_no_utf_8_is_refused() -> None:
    text = pa.array([b"12,5", b"\xff\xfe", b"13,5"], pa.binary()).view(pa.string())
    with pytest.raises(Refusal, match="Parquet"):
        read(parquet(text, "Persen"), source_of("long", "parquet", "indonesian"))


@pytest.mark.parametrize("place", HEAD)
def test_half_a_pair_of_surrogates_in_json_is_refused(place: str) -> None:
    row = dict(zip(HEAD, ("51", "Persen", "12,5"), strict=True)) | {place: "HALF"}
    text = str([row]).replace("'", '"').replace("HALF", "\\ud800")
    with pytest.raises(Refusal):
        read(text.encode(), source_of("long", "json", "indonesian"))
    whole = text.replace("\\ud800", "\\ud83d\\ude00").encode()
    assert read(whole, source_of("long", "json", "indonesian")).admitted.is_empty()


def test_an_ods_without_its_content_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    with pytest.raises(Refusal, match="not an ODS workbook"):
        read(out.getvalue(), source_of("long", "ods", "indonesian"))
