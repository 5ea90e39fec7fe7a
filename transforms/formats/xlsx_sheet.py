"""What is odd about the cells of one sheet of an XLSX."""

import re
from array import array
from typing import NamedTuple

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
    local,
    parse_xml,
    refuse_between,
    too_far,
    xml_parser,
)
from transforms.formats.number_formats import HIDES

LAST_ROW, DIGITS = 1_048_576, "0123456789"
PARENTS = {"row": "sheetData", "c": "row", "v": "c", "f": "c", "is": "c", "sheetData": "worksheet"}
AREA = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})(?::\$?([A-Z]{1,3})\$?([0-9]{1,7}))?")


class Styles(NamedTuple):
    """Formats of cell styles that may mislead, styles that are struck out, and formats on condition that may mislead;
    each by its number as it is written.
    """

    formats: dict[str, str]
    struck: set[str]
    conditional: set[str]


class Texts(NamedTuple):
    """The lengths of shared texts, and which have a part that is struck out."""

    lengths: "array[int]"
    struck: set[int]


class SheetLook:
    """One pass over the XML of a sheet, in which rows and cells stand in order, each once."""

    def __init__(self, styles: Styles, texts: Texts) -> None:
        self.styles, self.texts, self.look = styles, texts, Look()
        self.groups: dict[bool, dict[int, int]] = {True: {}, False: {}}  # of rows, of columns: the level of each
        self.closed: list[tuple[bool, int, int]] = []
        self.is_after = {True: True, False: True}  # whether what sums up a group stands after it
        self.hides_rows = False
        self.area = ""

    def of(self, xml: bytes) -> Look:
        """What the XML says. Raises Refusal where it goes too far or says two things, ValueError for damage."""
        look, odd, formats = self.look, self.look.odd, self.look.formats
        misleading, struck_styles, (lengths, struck_texts) = self.styles.formats, self.styles.struck, self.texts
        stack: list[str] = [""]
        row = columns = letters = until = tables = 0
        column, last, digits, is_hidden = -1, -1, "", False
        kind: str | None = None
        value, has_formula = "", False
        column_numbers: dict[str, int] = {}

        def start(tag: str, facts: dict[str, str]) -> None:
            nonlocal row, columns, column, last, digits, is_hidden, kind, value, has_formula, tables
            if ":" in tag:
                tag = local(tag)
            parent = stack[-1]
            stack.append(tag)
            if tag == "c":
                kind, value, has_formula = facts.get("t"), "", False
                position = facts.get("r")
                if position is None:
                    column += 1
                else:
                    name = position.rstrip(DIGITS)
                    before, column = column, column_numbers.get(name, -1)
                    if column < 0:
                        column = column_numbers[name] = _column(name)
                    if position[len(name) :] != digits or column <= before:
                        raise Refusal("cells_out_of_order", row=row)
                if column >= columns:
                    columns = column + 1
                    if row * columns > LARGEST_GRID:
                        raise too_far()
                if is_hidden:
                    odd[row, WHOLE_ROW] = "hidden_row"
                style = facts.get("s")
                if style in misleading:
                    formats[row, column] = misleading[style]
                    if len(formats) > MOST_ODD:
                        raise too_far()
                if style in struck_styles:
                    odd[row, column] = "struck_out"
            elif tag == "v":
                if value:
                    raise Refusal("cell_of_two_values", row=row)
            elif tag in ("t", "is"):
                pass
            elif tag == "row":
                row, digits = _row(facts.get("r"), row)
                column = -1
                if row * columns > LARGEST_GRID:
                    raise too_far()
                is_hidden = self.is_hidden_row(row, facts)
            elif tag == "f":
                has_formula = True
            elif tag == "sheetData":
                tables += 1
                if tables > 1:
                    raise Refusal("two_tables_of_rows")
            elif parent in ("v", "f") or len(stack) > DEEPEST:
                raise Refusal("elements_in_figures")
            else:
                self.describe(tag, facts, stack, row, column)
            if PARENTS.get(tag, parent) != parent:
                raise Refusal("element_misplaced", element=tag, parent=parent, row=row)

        def data(written: str) -> None:
            nonlocal value, until, letters
            if stack[-1] != "v":
                return
            # The parser gives a text in pieces: where one does not follow on the other, something stands between.
            at = parser.CurrentByteIndex
            if kind != "str" and (xml[at] == AMPERSAND or (value and at != until)):
                refuse_between()
            value += written
            until = at + len(written)
            letters += len(written)

        def end(_: str) -> None:
            nonlocal letters
            if stack.pop() != "c":
                return
            if kind == "s" and value:
                index = int(value)
                if not 0 <= index < len(lengths):
                    raise ValueError(f"it has no shared text {index}")
                letters += lengths[index]
                if letters > LARGEST_TEXT:
                    raise too_far()
                if index in struck_texts:
                    odd[row, column] = "struck_out"
            elif kind == "e":
                odd[row, column] = "error_cell"
            if has_formula and not value and kind != "e":
                odd[row, column] = "formula_without_value"

        parser = xml_parser(start, end, data)
        parser.StartCdataSectionHandler = refuse_between
        parse_xml(parser, xml)
        self.close_groups()
        return look

    def is_hidden_row(self, row: int, facts: dict[str, str]) -> bool:
        """Whether a row is hidden: said so, of no height, or by default of the sheet."""
        if len(facts) < 2 and not self.hides_rows:
            return False
        self.group(True, row, facts)
        height, written = facts.get("ht"), facts.get("hidden")
        if height is not None and not _is_above_zero(height):
            return True
        return is_true(written) or (self.hides_rows and height is None and written is None)

    def group(self, is_row: bool, position: int, facts: dict[str, str]) -> None:
        """Note the group that a row or column is in, and whether it sums up one that is closed."""
        level = facts.get("outlineLevel")
        depth = min(int(level), 7) if level else 0
        if depth:
            self.groups[is_row][position] = depth
        if is_true(facts.get("collapsed")):
            self.closed.append((is_row, position, depth))

    def close_groups(self) -> None:
        """Hide what is in a closed group."""
        for is_row, position, depth in self.closed:
            step = -1 if self.is_after[is_row] else 1
            within = position + step
            while self.groups[is_row].get(within, 0) > depth:
                key = (within, WHOLE_ROW) if is_row else (EVERY_ROW, within)
                self.look.odd[key] = "hidden_row" if is_row else "hidden_column"
                within += step

    def describe(self, tag: str, facts: dict[str, str], stack: list[str], row: int, column: int) -> None:
        """Take note of what an element says about rows, columns and cells."""
        match tag:
            case "col":
                first, last = (min(int(facts.get(name, "0")), MOST_COLUMNS) for name in ("min", "max"))
                is_thin = "width" in facts and not _is_above_zero(facts["width"])
                for position in range(max(first, 1) - 1, last):
                    self.group(False, position, facts)
                    if is_true(facts.get("hidden")) or is_thin:
                        self.look.odd[EVERY_ROW, position] = "hidden_column"
            case "sheetFormatPr":
                height = facts.get("defaultRowHeight")
                self.hides_rows = is_true(facts.get("zeroHeight")) or (
                    height is not None and not _is_above_zero(height)
                )
            case "outlinePr":
                self.is_after[True] = is_true(facts.get("summaryBelow", "1"))
                self.is_after[False] = is_true(facts.get("summaryRight", "1"))
            case "sheetView":
                self.look.shows_zeros &= is_true(facts.get("showZeros", "1"))
            case "strike" if "is" in stack and is_true(facts.get("val", "1")):
                self.look.odd[row, column] = "struck_out"
            case "conditionalFormatting":
                self.area = facts.get("sqref", "")
            case "cfRule" if facts.get("dxfId") in self.styles.conditional:
                self.mark(self.area)

    def mark(self, areas: str) -> None:
        """Mark the cells of areas whose format on condition may mislead."""
        for area in areas.split():
            match = AREA.fullmatch(area)
            if not match:
                raise ValueError(f"'{area[:20]}' is no area")
            left, top, right, bottom = match.groups()
            columns = range(_column(left), _column(right or left) + 1)
            rows = range(int(top), min(int(bottom or top), LAST_ROW) + 1)
            if len(rows) > LAST_ROW // 2:
                rows = range(EVERY_ROW, EVERY_ROW + 1)
            if len(rows) * len(columns) + len(self.look.odd) > MOST_ODD:
                raise too_far()
            self.look.odd |= {(row, column): HIDES for row in rows for column in columns}


AMPERSAND = ord("&")


def _is_above_zero(length: str) -> bool:
    return float(length) > 0


def _row(written: str | None, before: int) -> tuple[int, str]:
    """The number of a row, as a number and as cells write it."""
    number = before + 1 if written is None else int(written) if written.isdecimal() and len(written) <= 7 else 0
    if number <= before or number > LAST_ROW:
        if number > LAST_ROW:
            raise too_far()
        raise Refusal("row_out_of_order", row=written)
    return number, str(number)


def _column(letters: str) -> int:
    """The number of a column, A is 0. Raises ValueError where there is none."""
    number = 0
    for letter in letters:
        number = number * 26 + (ord(letter) - 64 if "A" <= letter <= "Z" else MOST_COLUMNS)
    if not 0 < number <= MOST_COLUMNS:
        raise ValueError(f"'{letters[:20]}' is no column")
    return number - 1
