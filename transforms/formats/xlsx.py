"""What is odd about the cells of an XLSX: errors, formulas without a value, what is hidden, struck out, or shown as
something else.

Readers of values do not report it, so the XML is parsed beside them. Where the workbook says two things at once, so
that a reader might see another sheet, row or cell than is looked at here, it is refused.
"""

import io
import zipfile
from array import array
from collections.abc import Iterator
from typing import NamedTuple

from schemas.contract.refusals import Refusal
from transforms.formats.cells import (
    EVERY_ROW,
    WHOLE_ROW,
    Look,
    bounded_blocks,
    is_true,
    local,
    parse_xml,
    whole_part,
    xml_parser,
)
from transforms.formats.containers import member_names
from transforms.formats.number_formats import BUILT_IN, is_plain
from transforms.formats.xlsx_sheet import SheetLook, Styles, Texts

MOST_SMALL_PART = 20_000_000  # bytes of a part that only describes others
MOST_SHEETS = 1_000


class Found(NamedTuple):
    """A sheet: its name, what was found in it, whether the workbook hides it."""

    name: str
    look: Look
    is_hidden: bool


def xlsx_looks(content: bytes) -> dict[str, Look]:
    """What is odd about the cells of each sheet.

    Raises Refusal for what must not be read at all, and zipfile's and zlib's errors where the archive is broken.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        # Some readers distinguish neither capitals from small letters nor one slash from the other.
        called = member_names(archive)
        if any(name.endswith("vbaproject.bin") for name in called):
            raise Refusal("macros")
        if "xl/workbook.xml" not in called:
            raise Refusal("no_table_of_sheets")

        def part(name: str, most: int | None = MOST_SMALL_PART) -> bytes:
            """A part; of one that only describes others little is read. Nothing where there is none."""
            if name not in called:
                return b""
            with archive.open(called[name]) as file:
                return whole_part(file, most)

        styles = _styles(part("xl/styles.xml"))
        texts = _texts(bounded_blocks(archive.open(called[name])) if (name := "xl/sharedstrings.xml") in called else ())
        sheets = _sheets(part("xl/workbook.xml"), part("xl/_rels/workbook.xml.rels"))
        looks = {}
        for name, (target, is_hidden) in sheets.items():
            if target.lower() in called:
                look = SheetLook(styles, texts).of(part(target.lower(), None))
                if is_hidden:
                    look.odd[EVERY_ROW, WHOLE_ROW] = "hidden_row"
                looks[name] = look
    return looks


def _sheets(book: bytes, relations: bytes) -> dict[str, tuple[str, bool]]:
    """The part of the archive that each sheet lies in, and whether it is hidden, by the sheet's name."""
    targets: dict[str, str] = {}
    sheets: dict[str, tuple[str, bool]] = {}
    names_found: set[str] = set()
    tables = 0

    def relation(tag: str, facts: dict[str, str]) -> None:
        if local(tag) == "Relationship":
            target = facts.get("Target", "").replace("\\", "/")
            if facts.get("Id", "") in targets:
                raise Refusal("relationship_twice", relationship=facts.get("Id", ""))
            targets[facts.get("Id", "")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"

    def sheet(tag: str, facts: dict[str, str]) -> None:
        nonlocal tables
        tables += local(tag) == "sheets"
        if tables > 1:
            raise Refusal("two_tables_of_sheets")
        if local(tag) != "sheet":
            return
        name, ids = facts.get("name", ""), [each for key, each in facts.items() if local(key).lower() == "id"]
        if len(sheets) >= MOST_SHEETS:
            raise Refusal("too_many_sheets", most=MOST_SHEETS)
        if name.casefold() in names_found:
            raise Refusal("sheet_twice", sheet=name)
        if len(ids) != 1:
            raise Refusal("sheet_ids", sheet=name, ids=len(ids))
        part = targets.get(ids[0], "")
        if part and any(part.lower() == each.lower() for each, _ in sheets.values()):
            raise Refusal("sheet_of_two_names", sheet=name)
        names_found.add(name.casefold())
        sheets[name] = part, facts.get("state", "visible").strip() != "visible"

    parse_xml(xml_parser(relation, _nothing), relations or b"<none/>")
    parse_xml(xml_parser(sheet, _nothing), book)
    return sheets


def _nothing(_: str) -> None:
    """What is done at the end of an element that nothing hangs on."""


def _styles(xml: bytes) -> Styles:
    codes: dict[str, str] = {str(number): code for number, code in BUILT_IN.items()}
    fonts: list[bool] = []
    formats: list[tuple[str, str]] = []  # of cell styles: the numbers of format and font
    conditions: list[bool] = []
    path: list[str] = []

    def start(tag: str, facts: dict[str, str]) -> None:
        name = local(tag)
        path.append(name)
        match name:
            case "numFmt" if "dxfs" in path:
                conditions[-1] |= not is_plain(facts.get("formatCode", ""))
            case "numFmt":
                codes[facts.get("numFmtId", "")] = facts.get("formatCode", "")
            case "dxf":
                conditions.append(False)
            case "font" if "fonts" in path:
                fonts.append(False)
            case "strike" if is_true(facts.get("val", "1")):
                if "dxfs" in path:
                    conditions[-1] = True
                elif "fonts" in path:
                    fonts[-1] = True
            case "xf" if "cellXfs" in path:
                formats.append((facts.get("numFmtId", "0").strip(), facts.get("fontId", "0").strip()))

    def end(_: str) -> None:
        path.pop()

    parse_xml(xml_parser(start, end), xml or b"<none/>")
    of_cells = {str(index): codes.get(code, "General") for index, (code, _) in enumerate(formats)}
    struck = {str(number) for number, is_struck in enumerate(fonts) if is_struck}
    return Styles(
        {index: code for index, code in of_cells.items() if not is_plain(code)},
        {str(index) for index, (_, font) in enumerate(formats) if font in struck},
        {str(index) for index, misleads in enumerate(conditions) if misleads},
    )


def _texts(blocks: Iterator[bytes] | tuple[()]) -> Texts:
    texts = Texts(array("I"), set())
    length, is_text, is_written = 0, False, True

    def start(tag: str, facts: dict[str, str]) -> None:
        nonlocal length, is_text, is_written
        match local(tag):
            case "si":
                length, is_written = 0, True
            case "t":
                is_text = True
            case "rPh":
                is_written = False
            case "strike" if is_true(facts.get("val", "1")):
                texts.struck.add(len(texts.lengths))

    def end(tag: str) -> None:
        nonlocal is_text, is_written
        match local(tag):
            case "si":
                texts.lengths.append(length)
            case "t":
                is_text = False
            case "rPh":
                is_written = True

    def data(written: str) -> None:
        nonlocal length
        if is_text and is_written:
            length += len(written)

    parser = xml_parser(start, end, data)
    parser.buffer_text = True
    parse_xml(parser, b"".join(blocks) or b"<none/>")
    return texts
