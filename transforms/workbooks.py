"""Workbooks (XLSX, XLS, ODS) as grids of cells, with what is odd about a cell: a value that is not what it seems."""

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import IO, NamedTuple

from schemas.sources import Source, plain
from schemas.violations import Refusal
from transforms.containers import BROKEN

LARGEST_GRID = 20_000_000  # cells
LARGEST_XML = 1_000_000_000  # bytes of the parts of a workbook
MOST_COLUMNS = 16_384
WHOLE_ROW = -1

# Attributes stand in any order, and elements may have a prefix.
_CELL = re.compile(rb'<(?:\w+:)?c [^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"')
_FULL_CELL = re.compile(rb"<(?:\w+:)?c ([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c>)", re.DOTALL)
_HIDDEN_ROW = re.compile(rb"<(?:\w+:)?row ([^>]*?\bhidden=\"(?:1|true)\"[^>]*)>")
_PLACE = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')
_ROW = re.compile(rb'\br="([0-9]{1,7})"')
_STYLE = re.compile(rb'\bs="([0-9]+)"')
_PERCENT_CODES = {b"9", b"10"}  # built-in formats 0% and 0.00%
_REPEATED = re.compile(rb'<table:table-(cell|row)([^>]*?)number-(?:columns|rows)-repeated="([0-9]+)"([^>]*)>')


class Grid(NamedTuple):
    """A table as it stands in a file: rows with their number, every cell as it was read (None or "" for a blank).

    `odd` tells cells (row number, column from 0; column -1: the whole row) whose value cannot be taken as it stands:
    the rule of the dictionary that they break, or `percent` for a number that is shown in per cent.
    """

    sheet: str | None
    rows: Sequence[tuple[int, Sequence[object]]]
    odd: dict[tuple[int, int], str]
    merged: Sequence[tuple[tuple[int, int], tuple[int, int]]] = ()


def workbook_grids(content: bytes, source: Source) -> list[Grid]:
    """The sheets that the source names. Raises Refusal where the workbook cannot be opened or has none of them."""
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        odd = _oddities(content) if source.format == "xlsx" else {}
        if source.format == "ods":
            _refuse_repeated(content)
        with CalamineWorkbook.from_filelike(io.BytesIO(content)) as workbook:
            names = workbook.sheet_names
            chosen = [name for name in names if fnmatchcase(plain(name), plain(source.sheet or "*"))]
            grids = []
            for name in chosen:
                sheet = workbook.get_sheet_by_name(name)
                if sheet.total_height * sheet.total_width > LARGEST_GRID:
                    raise Refusal("a sheet reaches too far or holds too much; remove stray cells far from the table.")
                cells = sheet.to_python(skip_empty_area=False)
                merged = sheet.merged_cell_ranges or ()
                grids.append(Grid(name, list(enumerate(cells, start=1)), odd.get(name, {}), merged))
    except Refusal:
        raise
    except (CalamineError, *BROKEN) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise Refusal(f"the workbook cannot be opened ({reason}); save it anew as .{source.format}.") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # of the reader's compiled code: what it reads is damaged
            raise
        raise Refusal(f"the workbook is damaged; save it anew as .{source.format}.") from error
    if not grids:
        listed = ", ".join(names) or "none"
        raise Refusal(f"it has no sheet '{source.sheet}' (sheets: {listed}); name the sheet so.")
    return grids


def _oddities(content: bytes) -> dict[str, dict[tuple[int, int], str]]:
    """What is odd about the cells of each sheet of an XLSX.

    Raises Refusal for what must not be read at all, and zipfile's and zlib's errors where the archive is broken.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        if any(name.lower().endswith("vbaproject.bin") for name in names):
            raise Refusal("the workbook holds macros; save it as .xlsx without them.")
        if "xl/workbook.xml" not in names:
            raise Refusal("it is not an XLSX workbook (it lacks its table of sheets); save it as .xlsx.")
        parts = _sheet_parts(archive)
        percent = _percent_styles(archive.read("xl/styles.xml")) if "xl/styles.xml" in names else set()
        if "xl/sharedStrings.xml" in names:
            with archive.open("xl/sharedStrings.xml") as file:
                for _ in _blocks(file):
                    pass
        found = {}
        for name, part in parts.items():
            if part in names:
                found[name] = _odd_cells(archive, part, percent)
    return found


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    read = 0
    while block := file.read(1 << 20):
        read += len(block)
        if read > LARGEST_XML:
            raise Refusal("a sheet reaches too far or holds too much; send it in parts.")
        yield block


def _sheet_parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """The part of the archive that each sheet lies in, by the sheet's name."""
    from html import unescape

    book = archive.read("xl/workbook.xml")
    relations_part = "xl/_rels/workbook.xml.rels"
    relations = archive.read(relations_part) if relations_part in archive.namelist() else b""
    targets = {}
    for element in re.findall(rb"<(?:\w+:)?Relationship ([^>]*)>", relations):
        facts = dict(re.findall(rb'(\w+)="([^"]*)"', element))
        target = facts.get(b"Target", b"").decode(errors="replace")
        targets[facts.get(b"Id", b"")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    parts = {}
    for element in re.findall(rb"<(?:\w+:)?sheet ([^>]*)>", book):
        facts = dict(re.findall(rb'([\w:]+)="([^"]*)"', element))
        relation = next((value for key, value in facts.items() if key.endswith(b":id")), b"")
        parts[unescape(facts.get(b"name", b"").decode(errors="replace"))] = targets.get(relation, "")
    return parts


def _percent_styles(styles: bytes) -> set[bytes]:
    """The cell styles that show a number in per cent."""
    codes = set(_PERCENT_CODES)
    for element in re.findall(rb"<(?:\w+:)?numFmt ([^>]*)>", styles):
        facts = dict(re.findall(rb'(\w+)="([^"]*)"', element))
        if b"%" in facts.get(b"formatCode", b""):
            codes.add(facts.get(b"numFmtId", b""))
    section = re.search(rb"<(?:\w+:)?cellXfs.*?</(?:\w+:)?cellXfs>", styles, re.DOTALL)
    formats = re.findall(rb'<(?:\w+:)?xf [^>]*?numFmtId="([0-9]+)"', section.group()) if section else []
    return {str(index).encode() for index, code in enumerate(formats) if code in codes}


def _odd_cells(archive: zipfile.ZipFile, part: str, percent: set[bytes]) -> dict[tuple[int, int], str]:
    """Errors, formulas without a value, hidden rows, per cent of a sheet. Raises Refusal where it reaches too far."""
    with archive.open(part) as file:
        xml = b"".join(_blocks(file))
    rows = columns = 0
    for match in _CELL.finditer(xml):
        letters, digits = match.groups()
        rows, columns = max(rows, int(digits)), max(columns, _column(letters) + 1)
        if rows * columns > LARGEST_GRID:
            raise Refusal("a sheet reaches too far or holds too much; remove stray cells far from the table.")
    odd: dict[tuple[int, int], str] = {}
    for match in _HIDDEN_ROW.finditer(xml):
        row = _ROW.search(match.group(1))
        if row:
            odd[int(row.group(1)), WHOLE_ROW] = "hidden_row"
    used = {style for style in percent if b's="' + style + b'"' in xml}
    if b't="e"' not in xml and b"<f" not in xml and b":f" not in xml and not used:
        return odd
    for match in _FULL_CELL.finditer(xml):
        attributes, inner = match.group(1), match.group(2) or b""
        place = _PLACE.search(attributes)
        if place is None:
            continue
        key = int(place.group(2)), _column(place.group(1))
        style = _STYLE.search(attributes)
        if b't="e"' in attributes:
            odd[key] = "error_cell"
        elif re.search(rb"<(?:\w+:)?f[ />]", inner) and not re.search(rb"<(?:\w+:)?v>[^<]", inner):
            odd[key] = "formula_without_value"
        elif style and style.group(1) in used:
            odd[key] = "percent"
    return odd


def _column(letters: bytes) -> int:
    """The number of a column, A is 0."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _refuse_repeated(content: bytes) -> None:
    """Refuse an ODS in which few bytes stand for very many filled cells. Raises Refusal, and zipfile's errors."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open("content.xml") as file:
        xml = b"".join(_blocks(file))
    total = 0
    for kind, before, count, after in _REPEATED.findall(xml):
        filled = b"office:value-type" in before + after or kind == b"row"
        if filled and int(count) > MOST_COLUMNS and kind == b"cell":
            total += int(count)
    if total > LARGEST_GRID:
        raise Refusal("a sheet reaches too far or holds too much; remove stray cells far from the table.")
