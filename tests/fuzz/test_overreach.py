"""Small workbooks that claim to be enormous, in every spelling that XML allows: refused, within bounded memory.

Each is read in a process of its own with a limit on its memory, since what runs out of it there ends the process.
"""

import io
import subprocess
import sys
import zipfile
from collections.abc import Callable

import pytest
import xlsxwriter

from tests.conftest import ROOT
from tests.documents import ods_of
from tests.fuzz.mutations import packed
from tests.properties.test_round_trip import source_of

MEMORY = 4 << 30
READ = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY}))
from schemas.methodology.sources import Source
from schemas.contract.refusals import Refusal
from transforms.extracts.parse import extract_rows
try:
    print("read", extract_rows(sys.stdin.buffer.read(), Source.model_validate_json(sys.argv[1])).height)
except Refusal as refusal:
    print("refused", refusal)
"""
FAR = b"XFD1048576"
CELL = '<table:table-cell office:value-type="float" office:value="1"/>'
WIDE = '<table:table-cell table:number-columns-repeated="16384" office:value-type="float" office:value="1"/>'


def xlsx(change: Callable[[bytes], bytes], name: str = "xl/worksheets/sheet1.xml") -> bytes:
    """A workbook of a table and one more cell, A3, its sheet changed."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Skor")
        sheet.write_row(0, 0, ("Kode wilayah", "Butir", "Nilai"))
        sheet.write_row(1, 0, ("51", "Persen", 3))
        sheet.write(2, 0, 1)
    with zipfile.ZipFile(out) as archive:
        members = [(each, archive.read(each)) for each in archive.namelist()]
    sheet_part = "xl/worksheets/sheet1.xml"
    return packed([(name, change(inner)) if each == sheet_part else (each, inner) for each, inner in members])


def far(written: bytes, end: bytes = b"") -> Callable[[bytes], bytes]:
    return lambda xml: xml.replace(b'<c r="A3"', written).replace(b"</sheetData>", end + b"</sheetData>")


def ods_table(rows: str) -> bytes:
    return ods_of(f'<table:table table:name="Skor">{rows}</table:table>')


XLSX = {
    "plain": xlsx(far(b'<c r="' + FAR + b'"')),
    "single quotes": xlsx(far(b"<c r='" + FAR + b"'")),
    "line break": xlsx(far(b'<c\nr="' + FAR + b'"')),
    "spaces": xlsx(far(b'<c r = "' + FAR + b'"')),
    "a > before": xlsx(far(b'<c x=">" r="' + FAR + b'"')),
    "lower case": xlsx(far(b'<c r="xfd1048576"')),
    "row of eight digits": xlsx(far(b'<c r="C99999999"')),
    "column of many letters": xlsx(far(b'<c r="InfinityC3"')),
    "cells without a place": xlsx(
        far(b'<c r="A3"', b'<row r="1048576">' + b"<c><v>1</v></c>" * 16_384 + b"</row>"),
    ),
    "part of another case": xlsx(far(b'<c r="' + FAR + b'"'), "xl/worksheets/Sheet1.xml"),
}
ODS = {
    "wide rows": ods_table(f"<table:table-row>{WIDE}</table:table-row>" * 20_000),
    "repeated rows": ods_table(
        f'<table:table-row table:number-rows-repeated="1000000">{CELL * 100}</table:table-row>' * 2
    ),
    "single quotes": ods_table(
        f"<table:table-row table:number-rows-repeated='60000'>{WIDE}</table:table-row>".replace('"16384"', "'16384'")
    ),
}


def read(form: str, content: bytes) -> str:
    source = source_of("long", form, "english").model_dump_json()
    done = subprocess.run(
        [sys.executable, "-c", READ, source], cwd=ROOT, input=content, capture_output=True, timeout=60, check=False
    )
    said = done.stderr.decode(errors="replace")
    assert done.returncode == 0, said[:300]
    return done.stdout.decode()


@pytest.mark.parametrize("spelling", XLSX)
def test_an_xlsx_that_reaches_too_far_is_refused(spelling: str) -> None:
    assert read("xlsx", XLSX[spelling]).startswith("refused")


@pytest.mark.parametrize("spelling", ODS)
def test_an_ods_that_reaches_too_far_is_refused(spelling: str) -> None:
    assert read("ods", ODS[spelling]).startswith("refused")


def test_a_merged_range_over_the_whole_sheet_is_no_burden() -> None:
    merged = b'</sheetData><mergeCells count="1"><mergeCell ref="A4:XFD1048576"/></mergeCells>'
    assert read("xlsx", xlsx(lambda xml: xml.replace(b"</sheetData>", merged))).startswith("read 2")


def test_an_xlsx_as_it_is_written_is_read() -> None:
    assert read("xlsx", xlsx(bytes)).startswith("read 2")
