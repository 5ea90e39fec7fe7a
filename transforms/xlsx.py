"""What is odd about the cells of an XLSX: errors, formulas without a value, hidden rows, per cent.

Readers of values do not tell it. Patterns find it in the XML that spreadsheet programs write, at a tenth of the cost of
parsing; XML of an unusual shape is parsed.
"""

import io
import re
import zipfile

from schemas.violations import Refusal
from transforms.cells import LARGEST_GRID, WHOLE_ROW, Odd, bounded_blocks, parse_xml, too_far, whole_part

# Attributes stand in any order, and elements may have a prefix.
_CELL = re.compile(rb'<(?:\w+:)?c [^<>]*?\br="([A-Z]{1,3})([0-9]{1,7})"')
_FULL_CELL = re.compile(rb"<(?:\w+:)?c ([^<>]*?)(?:/>|>(.*?)</(?:\w+:)?c>)", re.DOTALL)
_HIDDEN_ROW = re.compile(rb"<(?:\w+:)?row ([^<>]*?\bhidden=\"(?:1|true)\"[^<>]*)>")
_PLACE = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')
_ROW = re.compile(rb'\br="([0-9]{1,7})"')
_STYLE = re.compile(rb'\bs="([0-9]+)"')
_PLACED_ROW = re.compile(rb'<(?:\w+:)?row [^<>]*?\br="[0-9]{1,7}"')
_ANY_CELL, _ANY_ROW = (re.compile(rb"<(?:\w+:)?%s(?=[\s/>])" % name) for name in (b"c", b"row"))
_CODED_VALUE = re.compile(rb"<(?:\w+:)?v>[^<]*&#")
# Attributes in single quotes or with spaces: patterns would miss them.
UNUSUAL = (b"='", b"= ", b" =", b"=\n", b"\n=", b"=\t", b"\t=")
PERCENT_CODES = ("9", "10")  # built-in formats 0% and 0.00%
# What a format shows as it stands: quoted, escaped, as wide as, repeated.
LITERAL = re.compile(r'"[^"]*"|[\\_*].')
MOST_SMALL_PART = 50_000_000  # bytes of a part that only describes others


def xlsx_oddities(content: bytes) -> dict[str, Odd]:
    """What is odd about the cells of each sheet.

    Raises Refusal for what must not be read at all, and zipfile's and zlib's errors where the archive is broken.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        # Some readers tell neither capitals from small letters nor one slash from the other.
        called = {name.lower().replace("\\", "/"): name for name in archive.namelist()}
        if any(name.endswith("vbaproject.bin") for name in called):
            raise Refusal("the workbook holds macros; save it as .xlsx without them.")
        if "xl/workbook.xml" not in called:
            raise Refusal("it is not an XLSX workbook (it lacks its table of sheets); save it as .xlsx.")

        def small(name: str) -> bytes:
            """A part that only describes others; nothing where there is none."""
            if name not in called:
                return b""
            with archive.open(called[name]) as file:
                return whole_part(file, MOST_SMALL_PART)

        styles = small("xl/styles.xml")
        percent = _percent_styles(styles) if styles else set()
        if "xl/sharedstrings.xml" in called:
            with archive.open(called["xl/sharedstrings.xml"]) as file:
                for _ in bounded_blocks(file):
                    pass
        found = {}
        for name, part in _sheet_parts(small("xl/workbook.xml"), small("xl/_rels/workbook.xml.rels")).items():
            if part.lower() in called:
                with archive.open(called[part.lower()]) as file:
                    found[name] = _odd_cells(whole_part(file), percent)
    return found


def _sheet_parts(book: bytes, relations: bytes) -> dict[str, str]:
    """The part of the archive that each sheet lies in, by the sheet's name."""
    targets: dict[str, str] = {}
    parts: dict[str, str] = {}

    def relation(tag: str, facts: dict[str, str]) -> None:
        if tag.rpartition(":")[2] == "Relationship":
            target = facts.get("Target", "").replace("\\", "/")
            targets[facts.get("Id", "")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"

    def sheet(tag: str, facts: dict[str, str]) -> None:
        if tag.rpartition(":")[2] == "sheet":
            name, place = facts.get("name", ""), [each for key, each in facts.items() if key.endswith(":id")]
            if name in parts:
                raise Refusal(f"it has two sheets '{name}'; rename one.")
            parts[name] = targets.get(place[0], "") if place else ""

    parse_xml(relations or b"<none/>", relation, _nothing)
    parse_xml(book, sheet, _nothing)
    return parts


def _nothing(_: str) -> None:
    """What is done at the end of an element that nothing hangs on."""


def _percent_styles(styles: bytes) -> set[bytes]:
    """The cell styles that show a number in per cent."""
    codes, formats, is_cells = set(PERCENT_CODES), [], False

    def start(tag: str, facts: dict[str, str]) -> None:
        nonlocal is_cells
        match tag.rpartition(":")[2]:
            case "numFmt" if "%" in LITERAL.sub("", facts.get("formatCode", "")):
                codes.add(facts.get("numFmtId", ""))
            case "cellXfs":
                is_cells = True
            case "xf" if is_cells:
                formats.append(facts.get("numFmtId", "0"))

    def end(tag: str) -> None:
        nonlocal is_cells
        is_cells &= tag.rpartition(":")[2] != "cellXfs"

    parse_xml(styles, start, end)
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
    if b"<!" in xml or (b"&#" in xml and _CODED_VALUE.search(xml)):
        raise Refusal("a sheet holds comments or character codes among its figures; save it anew.")
    if not is_plain or any(mark in xml for mark in UNUSUAL):
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
