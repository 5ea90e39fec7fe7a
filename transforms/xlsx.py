"""What is odd about the cells of an XLSX: errors, formulas without a value, hidden rows, per cent.

Readers of values do not tell it. Patterns find it in the XML that spreadsheet programs write, at a tenth of the cost of
parsing; XML of an unusual shape is parsed.
"""

import io
import re
import zipfile
from html import unescape

from schemas.violations import Refusal
from transforms.cells import LARGEST_GRID, WHOLE_ROW, Odd, bounded_blocks, parse_xml, too_far, whole_part

# Attributes stand in any order, and elements may have a prefix.
_CELL = re.compile(rb'<(?:\w+:)?c [^>]*?\br="([A-Z]{1,3})([0-9]{1,7})"')
_FULL_CELL = re.compile(rb"<(?:\w+:)?c ([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c>)", re.DOTALL)
_HIDDEN_ROW = re.compile(rb"<(?:\w+:)?row ([^>]*?\bhidden=\"(?:1|true)\"[^>]*)>")
_PLACE = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')
_ROW = re.compile(rb'\br="([0-9]{1,7})"')
_STYLE = re.compile(rb'\bs="([0-9]+)"')
_PLACED_ROW = re.compile(rb'<(?:\w+:)?row [^>]*?\br="[0-9]{1,7}"')
_ANY_CELL, _ANY_ROW = (re.compile(rb"<(?:\w+:)?%s(?=[\s/>])" % name) for name in (b"c", b"row"))
_UNUSUAL = re.compile(rb"<!|=\s*'|\s=|=\s")
_PERCENT_CODES = {b"9", b"10"}  # built-in formats 0% and 0.00%


def xlsx_oddities(content: bytes) -> dict[str, Odd]:
    """What is odd about the cells of each sheet.

    Raises Refusal for what must not be read at all, and zipfile's and zlib's errors where the archive is broken.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        if any(name.lower().endswith("vbaproject.bin") for name in names):
            raise Refusal("the workbook holds macros; save it as .xlsx without them.")
        if "xl/workbook.xml" not in names:
            raise Refusal("it is not an XLSX workbook (it lacks its table of sheets); save it as .xlsx.")
        percent = _percent_styles(archive.read("xl/styles.xml")) if "xl/styles.xml" in names else set()
        if "xl/sharedStrings.xml" in names:
            with archive.open("xl/sharedStrings.xml") as file:
                for _ in bounded_blocks(file):
                    pass
        found = {}
        called = {name.lower(): name for name in names}  # some readers do not tell capitals from small letters
        for name, part in _sheet_parts(archive).items():
            if part.lower() in called:
                with archive.open(called[part.lower()]) as file:
                    found[name] = _odd_cells(whole_part(file), percent)
        return found


def _sheet_parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """The part of the archive that each sheet lies in, by the sheet's name."""
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
        if b"%" in re.sub(rb"&quot;.*?&quot;|\\.", b"", facts.get(b"formatCode", b"")):
            codes.add(facts.get(b"numFmtId", b""))
    section = re.search(rb"<(?:\w+:)?cellXfs.*?</(?:\w+:)?cellXfs>", styles, re.DOTALL)
    formats = re.findall(rb'<(?:\w+:)?xf [^>]*?numFmtId="([0-9]+)"', section.group()) if section else []
    return {str(index).encode() for index, code in enumerate(formats) if code in codes}


def _odd_cells(xml: bytes, percent: set[bytes]) -> Odd:
    """Errors, formulas without a value, hidden rows, per cent of a sheet. Raises Refusal where it reaches too far."""
    rows = columns = cells = 0
    for match in _CELL.finditer(xml):
        letters, digits = match.groups()
        rows, columns, cells = max(rows, int(digits)), max(columns, _column(letters) + 1), cells + 1
        if rows * columns > LARGEST_GRID:
            raise too_far()
    every_row = len(_ANY_ROW.findall(xml))
    is_plain = cells == len(_ANY_CELL.findall(xml)) and every_row == len(_PLACED_ROW.findall(xml))
    if not is_plain or _UNUSUAL.search(xml):
        return _odd_cells_parsed(xml, percent)
    odd: Odd = {}
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


def _odd_cells_parsed(xml: bytes, percent: set[bytes]) -> Odd:
    """The same, of XML of any shape."""
    odd: Odd = {}
    row, column, rows, columns = 0, -1, 0, 0
    kind, style, has_formula, has_value, in_value = "", "", False, False, False

    def start(tag: str, facts: dict[str, str]) -> None:
        nonlocal row, column, rows, columns, kind, style, has_formula, has_value, in_value
        name = tag.rpartition(":")[2]
        in_value = name == "v"
        if name == "row":
            row, column = int(facts.get("r", row + 1)), -1
            if facts.get("hidden") in ("1", "true"):
                odd[row, WHOLE_ROW] = "hidden_row"
        elif name == "c":
            place = re.fullmatch("([A-Z]{1,3})([0-9]{1,7})", facts.get("r", ""))
            if "r" in facts and not place:
                raise ValueError(f"'{facts['r'][:20]}' is no place of a cell")
            column = _column(place.group(1).encode()) if place else column + 1
            row = int(place.group(2)) if place else row
            rows, columns = max(rows, row), max(columns, column + 1)
            if rows * columns > LARGEST_GRID:
                raise too_far()
            kind, style, has_formula, has_value = facts.get("t", ""), facts.get("s", ""), False, False
        elif name == "f":
            has_formula = True

    def data(_: str) -> None:
        nonlocal has_value
        has_value |= in_value

    def end(tag: str) -> None:
        nonlocal in_value
        in_value = False
        if tag.rpartition(":")[2] != "c":
            return
        if kind == "e":
            odd[row, column] = "error_cell"
        elif has_formula and not has_value:
            odd[row, column] = "formula_without_value"
        elif style.encode() in percent:
            odd[row, column] = "percent"

    parse_xml(xml, start, end, data)
    return odd


def _column(letters: bytes) -> int:
    """The number of a column, A is 0."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1
