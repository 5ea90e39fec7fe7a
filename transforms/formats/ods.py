"""What is odd about the cells of an ODS: errors, formulas without a value, what is hidden, struck out, shown otherwise;
and merged areas.

The reader of values lays out what is repeated, so how much that will be is counted here before.
"""

import io
import re
import zipfile
from bisect import bisect

from schemas.contract.refusals import Refusal
from transforms.formats.cells import (
    DEEPEST,
    EVERY_ROW,
    LARGEST_GRID,
    LARGEST_TEXT,
    MOST_COLUMNS,
    MOST_ODD,
    WHOLE_ROW,
    Look,
    is_true,
    parse_xml,
    refuse_between,
    too_far,
    whole_part,
    xml_parser,
)
from transforms.formats.containers import member_names
from transforms.formats.ods_styles import StyleReading, Styles

MOST_SPACES = 10_000  # that stand for themselves in one text
MOST_SHEETS = 1_000
LAST_ROW = 1_048_576
ERROR = re.compile(r"#[A-Z0-9/]+[!?]?|Err:[0-9]+")
NAMESPACE = "urn:oasis:names:tc:opendocument:xmlns:{}:1.0"
OURS = {NAMESPACE.format(prefix): prefix for prefix in ("office", "table", "text", "style")}
DIGIT = re.compile(r"\d")


def ods_looks(content: bytes) -> dict[str, Look]:
    """What is odd about the cells of each sheet, and its merged areas.

    Raises Refusal where few bytes stand for very many filled cells; ValueError and zipfile's errors for damage.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        called = member_names(archive)
        if "content.xml" not in called:
            raise Refusal("not_a_workbook", format="ODS", ending="ods")

        def part(name: str) -> bytes:
            with archive.open(called[name]) as file:
                return whole_part(file)

        styles = Styles()
        if "styles.xml" in called:
            _Reading(styles).of(part("styles.xml"))
        return _Reading(styles).of(part("content.xml"))


class _Reading:
    """One pass over the XML of a workbook."""

    def __init__(self, styles: Styles) -> None:
        self.styles, self.of_styles, self.letters = styles, StyleReading(styles), 0
        self.looks: dict[str, Look] = {}
        self.look = Look()

    def of(self, xml: bytes) -> dict[str, Look]:
        """What is odd about each sheet. Raises Refusal and ValueError."""
        stack: list[str] = []
        row = times = column = offset = last_row = last_column = in_table = hidden_groups = length = notes = 0
        cell: dict[str, str] | None = None
        row_style, first = "", ""
        column_ends: list[int] = []
        column_styles: list[str] = []
        is_row_hidden = has_cells = is_separate = has_digits = is_struck = False

        def start(tag: str, facts: dict[str, str]) -> None:
            nonlocal row, times, column, offset, last_row, last_column, in_table, cell, row_style, notes, first
            nonlocal is_row_hidden, hidden_groups, has_cells, length, is_separate, has_digits, is_struck
            stack.append(tag)
            if len(stack) > DEEPEST:
                raise Refusal("elements_too_deep")
            for key, written in facts.items():
                if key.startswith("xmlns"):
                    _refuse_other_name(key, written)
            match tag:
                case "table:table-cell" | "table:covered-table-cell":
                    if cell is not None:
                        raise Refusal("cell_in_cell")
                    cell, length, first, is_separate, has_digits, is_struck = facts, 0, "", False, False, False
                    has_cells |= "office:value-type" in facts
                case "text:s" if cell is not None:
                    spaces = int(facts.get("text:c", 1))
                    if not 0 <= spaces <= MOST_SPACES:
                        raise Refusal("spaces_in_cell", spaces=spaces)
                    length += spaces
                case "text:line-break" | "text:tab" if cell is not None:  # which the reader of values leaves out
                    is_separate = True
                case "text:span" if cell is not None and not notes:
                    is_struck |= self.styles.flag("text", facts.get("text:style-name"))
                case "office:annotation":
                    notes += 1
                case "table:table-row":
                    times, column, row_style = _times(facts, "rows"), 0, facts.get("table:default-cell-style-name", "")
                    is_row_hidden = bool(hidden_groups) or facts.get("table:visibility", "visible").strip() != "visible"
                    is_row_hidden |= self.styles.flag("table-row", facts.get("table:style-name"))
                    has_cells = False
                case "table:table-column":
                    repeated = _times(facts, "columns")
                    is_hidden = bool(hidden_groups) or facts.get("table:visibility", "visible").strip() != "visible"
                    if is_hidden or self.styles.flag("table-column", facts.get("table:style-name")):
                        for hidden in range(offset, min(offset + repeated, MOST_COLUMNS)):
                            self.look.odd[EVERY_ROW, hidden] = "hidden_column"
                    offset += repeated
                    column_ends.append(offset)
                    column_styles.append(facts.get("table:default-cell-style-name", ""))
                    if offset > 2 * MOST_COLUMNS:
                        raise too_far()
                case "table:table-row-group" | "table:table-column-group":
                    hidden_groups += not is_true(facts.get("table:display", "true"))
                case "table:table":
                    in_table += 1
                    if in_table > 1:
                        raise Refusal("table_in_table")
                    name = facts.get("table:name", "")
                    if name.casefold() in (each.casefold() for each in self.looks):
                        raise Refusal("sheet_twice", sheet=name)
                    if len(self.looks) >= MOST_SHEETS:
                        raise Refusal("too_many_sheets", most=MOST_SHEETS)
                    self.look = self.looks[name] = Look()
                    row, last_row, last_column, offset = 0, 0, 0, 0
                    column_ends.clear()
                    column_styles.clear()
                    if self.styles.flag("table", facts.get("table:style-name")):
                        self.look.odd[EVERY_ROW, WHOLE_ROW] = "hidden_row"
                case _ if not in_table:
                    self.of_styles.start(tag, facts)

        def end_of_cell(facts: dict[str, str]) -> None:
            nonlocal column, last_row, last_column
            count, kind = _times(facts, "columns"), facts.get("office:value-type")
            key, odd = (row + 1, column), self.look.odd
            rule, code = None, None
            if kind:
                last_row, last_column = max(last_row, row + times), max(last_column, column + count)
                self.letters += (length + len(facts.get("office:string-value", ""))) * count * times
                if last_row * last_column > LARGEST_GRID or self.letters > LARGEST_TEXT:
                    raise too_far()
                style = facts.get("table:style-name") or row_style
                if not style and (at := bisect(column_ends, column)) < len(column_styles):
                    style = column_styles[at]
                struck, code = self.styles.of_cell(style)
                if struck or is_struck:
                    rule = "struck_out"
                elif kind == "string" and has_digits and is_separate:
                    rule = "several_values"
            if facts.get("calcext:value-type") == "error":
                rule = "error_cell"
            elif "table:formula" in facts and not kind:
                rule = "formula_without_value"
            elif "table:formula" in facts and kind == "string" and ERROR.match(first):
                rule = "error_cell"
            elif kind == "percentage":
                code = "0%" if code is None else code
            if rule or code is not None:
                if count * times + len(odd) + len(self.look.formats) > MOST_ODD:
                    raise too_far()
                for shown in range(row + 1, row + 1 + times):
                    for at in range(column, column + count):
                        if rule:
                            odd[shown, at] = rule
                        elif code is not None:
                            self.look.formats[shown, at] = code
            down, right = (int(facts.get(f"table:number-{name}-spanned", 1)) for name in ("rows", "columns"))
            if down > 1 or right > 1:
                self.look.merged.append(((key[0] - 1, key[1]), (row + down - 1, column + right - 1)))
            column += count

        def data(written: str) -> None:
            nonlocal length, has_digits, first
            if cell is None:
                self.of_styles.data(written)
            elif not notes:
                first = first or written
                length += len(written)
                has_digits = has_digits or bool(DIGIT.search(written))

        def end(tag: str) -> None:
            nonlocal row, cell, hidden_groups, in_table, notes
            stack.pop()
            if tag in ("table:table-cell", "table:covered-table-cell"):
                if cell is not None:
                    end_of_cell(cell)
                cell = None
            elif tag == "table:table-row":
                if is_row_hidden and has_cells:
                    if times + len(self.look.odd) > MOST_ODD:
                        raise too_far()
                    self.look.odd |= {(each, WHOLE_ROW): "hidden_row" for each in range(row + 1, row + 1 + times)}
                row += times
            elif tag in ("table:table-row-group", "table:table-column-group"):
                hidden_groups = max(hidden_groups - 1, 0)
            elif tag == "table:table":
                in_table -= 1
            elif tag == "office:annotation":
                notes -= 1
            elif not in_table:
                self.of_styles.end(tag)

        parser = xml_parser(start, end, data)
        parser.buffer_text = True
        parser.StartCdataSectionHandler = refuse_between
        parse_xml(parser, xml)
        return self.looks


def _refuse_other_name(key: str, written: str) -> None:
    """Refuse names under another prefix than all programs write: the reader of values goes by that."""
    prefix = key.partition(":")[2]
    if OURS.get(written, prefix) != prefix or (prefix in OURS.values() and written not in OURS):
        raise Refusal("foreign_names")


def _times(facts: dict[str, str], what: str) -> int:
    """How many times a row, column or cell stands. Raises ValueError where that is no number, or less than once."""
    times = int(facts.get(f"table:number-{what}-repeated", 1))
    if times < 1:
        raise ValueError(f"it has {times} {what}")
    return min(times, 1 << 40)
