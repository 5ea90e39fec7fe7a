"""What is odd about the cells of an ODS: errors, formulas without a value, what is hidden, struck out, shown otherwise;
and merged areas.

The reader of values lays out what is repeated, so how much that will be is counted here before.
"""

import io
import re
import zipfile
from bisect import bisect
from dataclasses import dataclass, field

from schemas.errors import Refusal
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
    whole_part,
    xml_parser,
)
from transforms.formats.containers import member_names
from transforms.formats.number_formats import is_plain

MOST_SPACES = 10_000  # that stand for themselves in one place
MOST_SHEETS = 1_000
LAST_ROW = 1_048_576
ERROR = re.compile(r"#[A-Z0-9/]+[!?]?|Err:[0-9]+")
NAMESPACE = "urn:oasis:names:tc:opendocument:xmlns:{}:1.0"
OURS = {NAMESPACE.format(prefix): prefix for prefix in ("office", "table", "text", "style")}
DIGIT = re.compile(r"\d")


@dataclass
class Style:
    """What a style says: struck out, how numbers are shown, of no height or width, not displayed."""

    parent: str = ""
    data: str | None = None
    is_struck: bool | None = None
    is_flat: bool = False
    is_unseen: bool = False


@dataclass
class Styles:
    """The styles by family and name; the codes of number formats by name, and those that count on a condition."""

    named: dict[tuple[str, str], Style] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    maps: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    def code(self, name: str) -> str:
        """The code of a number format, as XLSX writes it."""
        own, maps = self.codes.get(name, "General"), self.maps.get(name, [])
        others = {condition: self.codes.get(other, "General") for condition, other in maps}
        match sorted(others):
            case []:
                return own
            case [">=0"]:
                return f"{others['>=0']};{own}"
            case ["<0", ">0"]:
                return f"{others['>0']};{others['<0']};{own}"
        return ";".join(["[>=1]" + each for each in others.values()] + [own])

    def of_cell(self, name: str) -> tuple[bool, str | None]:
        """Whether the text of a cell is struck out, and the code of its format where that may mislead."""
        struck: bool | None = None
        code: str | None = None
        for _ in range(DEEPEST):
            style = self.named.get(("table-cell", name))
            if style is None:
                break
            struck = style.is_struck if struck is None else struck
            code = self.code(style.data) if code is None and style.data else code
            name = style.parent
        return bool(struck), None if code is None or is_plain(code) else code

    def flag(self, family: str, name: str | None) -> bool:
        """Whether a row or column of this style has no size, a table is not displayed, a text is struck out."""
        style = self.named.get((family, name or ""))
        return style is not None and (style.is_flat or style.is_unseen or bool(style.is_struck))


def ods_looks(content: bytes) -> dict[str, Look]:
    """What is odd about the cells of each sheet, and its merged areas.

    Raises Refusal where few bytes stand for very many filled cells; ValueError and zipfile's errors for damage.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        called = member_names(archive)
        if "content.xml" not in called:
            raise Refusal("it is not an ODS workbook; save it as .ods.")

        def part(name: str) -> bytes:
            with archive.open(called[name]) as file:
                return whole_part(file)

        styles = Styles()
        if "styles.xml" in called:
            _Reading(styles).of(part("styles.xml"))
        return _Reading(styles).of(part("content.xml"))


class _StyleReading:
    """The part of the pass that reads styles."""

    DATES = ("day", "day-of-week", "week-of-year", "month", "quarter", "year", "era", "hours", "minutes", "seconds")

    def __init__(self, styles: Styles) -> None:
        self.styles = styles
        self.style: Style | None = None
        self.name: str | None = None  # of the number format at hand
        self.text: str | None = None

    def start(self, tag: str, facts: dict[str, str]) -> None:
        """Take note of what an element says about styles."""
        name = local(tag)
        if tag.startswith("number:") and name.endswith("-style"):
            self.name = facts.get("style:name", "")
            self.styles.codes[self.name] = ""
        elif tag.startswith("number:") and self.name is not None:
            self.styles.codes[self.name] += self.piece(name, facts)
        elif tag == "style:map" and self.name is not None:
            condition = facts.get("style:condition", "").replace("value()", "").replace(" ", "")
            self.styles.maps.setdefault(self.name, []).append((condition, facts.get("style:apply-style-name", "")))
        elif tag == "style:style":
            self.style = Style(facts.get("style:parent-style-name", ""), facts.get("style:data-style-name"))
            self.styles.named[facts.get("style:family", ""), facts.get("style:name", "")] = self.style
        elif self.style is not None:
            self.describe(self.style, tag, facts)

    def piece(self, name: str, facts: dict[str, str]) -> str:
        """What an element of a number format adds to its code."""
        match name:
            case "number":
                digits = "#" if facts.get("number:min-integer-digits") == "0" else "0"
                decimals = facts.get("number:decimal-places", "0")
                point = ".0" if digits == "#" and decimals not in ("", "0") else ""
                return digits + point + ("" if float(facts.get("number:display-factor", 1)) == 1 else ",")
            case "scientific-number":
                return "0E+0"
            case "fraction":
                return "# ?/?"
            case "text-content":
                return "@"
            case "boolean" | "am-pm":
                return "d"
            case "text" | "currency-symbol" | "fill-character" | "embedded-text":
                self.text = ""
        return "d" if name in self.DATES else ""

    def describe(self, style: Style, tag: str, facts: dict[str, str]) -> None:
        """What the properties of a style say."""
        match tag:
            case "style:text-properties":
                lines = [facts.get(f"style:text-line-through-{each}") for each in ("style", "type")]
                if any(lines):
                    style.is_struck = any(each not in (None, "none") for each in lines)
            case "style:table-row-properties" | "style:table-column-properties":
                sizes = [facts.get(each) for each in ("style:row-height", "style:column-width")]
                style.is_flat = any(each is not None and re.match(r"[0.]+(?![0-9.])", each) for each in sizes)
            case "style:table-properties":
                style.is_unseen = not is_true(facts.get("table:display", "true"))

    def data(self, said: str) -> None:
        """The letters of a number format."""
        if self.text is not None:
            self.text += said

    def end(self, tag: str) -> None:
        """The end of an element."""
        if tag == "style:style":
            self.style = None
        elif tag.startswith("number:") and self.name is not None:
            if self.text is not None:
                # A sign of per cent is one, the rest is text.
                shown = "%".join(f'"{each}"' for each in self.text.replace('"', "")[:100].split("%"))
                self.styles.codes[self.name] += shown + ("0" if local(tag) == "embedded-text" else "")
                self.text = None
            if local(tag).endswith("-style"):
                self.name = None


class _Reading:
    """One pass over the XML of a workbook."""

    def __init__(self, styles: Styles) -> None:
        self.styles, self.of_styles, self.letters = styles, _StyleReading(styles), 0
        self.looks: dict[str, Look] = {}
        self.look = Look()

    def of(self, xml: bytes) -> dict[str, Look]:
        """What is odd about each sheet. Raises Refusal and ValueError."""
        stack: list[str] = []
        row = times = column = place = last_row = last_column = in_table = hidden_groups = length = notes = 0
        cell: dict[str, str] | None = None
        row_style, first = "", ""
        column_ends: list[int] = []
        column_styles: list[str] = []
        is_row_hidden = has_cells = is_separate = has_digits = is_struck = False

        def start(tag: str, facts: dict[str, str]) -> None:
            nonlocal row, times, column, place, last_row, last_column, in_table, cell, row_style, notes, first
            nonlocal is_row_hidden, hidden_groups, has_cells, length, is_separate, has_digits, is_struck
            stack.append(tag)
            if len(stack) > DEEPEST:
                raise Refusal("the workbook has far too many elements within each other; save it anew.")
            for key, said in facts.items():
                if key.startswith("xmlns"):
                    _refuse_other_name(key, said)
            match tag:
                case "table:table-cell" | "table:covered-table-cell":
                    if cell is not None:
                        raise Refusal("a cell holds another; save the workbook anew.")
                    cell, length, first, is_separate, has_digits, is_struck = facts, 0, "", False, False, False
                    has_cells |= "office:value-type" in facts
                case "text:s" if cell is not None:
                    spaces = int(facts.get("text:c", 1))
                    if not 0 <= spaces <= MOST_SPACES:
                        raise Refusal(f"a cell holds {spaces} spaces in one place; remove them.")
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
                        for hidden in range(place, min(place + repeated, MOST_COLUMNS)):
                            self.look.odd[EVERY_ROW, hidden] = "hidden_column"
                    place += repeated
                    column_ends.append(place)
                    column_styles.append(facts.get("table:default-cell-style-name", ""))
                    if place > 2 * MOST_COLUMNS:
                        raise too_far()
                case "table:table-row-group" | "table:table-column-group":
                    hidden_groups += not is_true(facts.get("table:display", "true"))
                case "table:table":
                    in_table += 1
                    if in_table > 1:
                        raise Refusal("a table of the workbook holds another; save it anew.")
                    name = facts.get("table:name", "")
                    if name.casefold() in (each.casefold() for each in self.looks):
                        raise Refusal(f"it has two sheets '{name}'; rename one.")
                    if len(self.looks) >= MOST_SHEETS:
                        raise Refusal(f"it has more than {MOST_SHEETS:,} sheets; send the one with the table.")
                    self.look = self.looks[name] = Look()
                    row, last_row, last_column, place = 0, 0, 0, 0
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

        def data(said: str) -> None:
            nonlocal length, has_digits, first
            if cell is None:
                self.of_styles.data(said)
            elif not notes:
                first = first or said
                length += len(said)
                has_digits = has_digits or bool(DIGIT.search(said))

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


def _refuse_other_name(key: str, said: str) -> None:
    """Refuse names under another prefix than all programs write: the reader of values goes by that."""
    prefix = key.partition(":")[2]
    if OURS.get(said, prefix) != prefix or (prefix in OURS.values() and said not in OURS):
        raise Refusal("its parts are not named as in other ODS workbooks; save it anew.")


def _times(facts: dict[str, str], what: str) -> int:
    """How many times a row, column or cell stands. Raises ValueError where that is no number, or less than once."""
    times = int(facts.get(f"table:number-{what}-repeated", 1))
    if times < 1:
        raise ValueError(f"it has {times} {what}")
    return min(times, 1 << 40)
