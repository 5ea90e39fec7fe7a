"""What is odd about the cells of an ODS: errors, formulas without a value, hidden rows, per cent; and merged areas."""

import io
import re
import zipfile

from schemas.violations import Refusal
from transforms.cells import LARGEST_GRID, MOST_COLUMNS, WHOLE_ROW, Area, Odd, parse_xml, too_far, whole_part

MOST_REPEATED = 1_000_000  # cells that one stands for
ERROR = re.compile(r"#[A-Z0-9/]+[!?]?|Err:[0-9]+")


def ods_oddities(content: bytes) -> tuple[dict[str, Odd], dict[str, list[Area]]]:
    """What is odd about the cells of each sheet, and its merged areas.

    Raises Refusal where few bytes stand for very many filled cells; ValueError and zipfile's errors for damage.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if "content.xml" not in archive.namelist():
            raise Refusal("it is not an ODS workbook; save it as .ods.")
        with archive.open("content.xml") as file:
            xml = whole_part(file)
    if not all(f"xmlns:{prefix}=".encode() in xml for prefix in ("table", "office")):
        raise Refusal("its parts are not named as in other ODS workbooks; save it anew.")
    every: dict[str, Odd] = {}
    areas: dict[str, list[Area]] = {}
    sheet, row, times, column, last_row, last_column = "", 0, 1, 0, 0, 0
    calculated: tuple[int, int] | None = None  # the cell at hand, where it is a formula that gave a text

    def start(tag: str, facts: dict[str, str]) -> None:
        nonlocal sheet, row, times, column, last_row, last_column
        match tag.rpartition(":")[2]:
            case "table":
                sheet, row, last_row, last_column = facts.get("table:name", ""), 0, 0, 0
                every[sheet], areas[sheet] = {}, []
            case "table-row":
                times, column = int(facts.get("table:number-rows-repeated", 1)), 0
                if facts.get("table:visibility") in ("collapse", "filter"):
                    for hidden in range(row + 1, row + 1 + min(times, MOST_COLUMNS)):
                        every[sheet][hidden, WHOLE_ROW] = "hidden_row"
            case "table-cell" | "covered-table-cell":
                cell(facts)

    def cell(facts: dict[str, str]) -> None:
        nonlocal column, last_row, last_column, calculated
        count, kind = int(facts.get("table:number-columns-repeated", 1)), facts.get("office:value-type")
        odd, key = every.setdefault(sheet, {}), (row + 1, column)
        if kind:
            last_row, last_column = max(last_row, row + times), max(last_column, column + count)
            if last_row * last_column > LARGEST_GRID:
                raise too_far()
        if facts.get("calcext:value-type") == "error":
            odd[key] = "error_cell"
        elif "table:formula" in facts and not kind:
            odd[key] = "formula_without_value"
        elif "table:formula" in facts and kind == "string":
            calculated = key
        elif kind == "percentage":
            if count * times > MOST_REPEATED:
                raise too_far()
            for shown in range(row + 1, row + 1 + times):
                for place in range(column, column + count):
                    odd[shown, place] = "percent"
        down, right = (int(facts.get(f"table:number-{name}-spanned", 1)) for name in ("rows", "columns"))
        if down > 1 or right > 1:
            areas.setdefault(sheet, []).append(((row, column), (row + down - 1, column + right - 1)))
        column += count

    def text(said: str) -> None:
        if calculated and ERROR.match(said):
            every[sheet][calculated] = "error_cell"

    def end(tag: str) -> None:
        nonlocal row, calculated
        if tag.rpartition(":")[2] == "table-row":
            row += times
        elif tag.rpartition(":")[2] == "table-cell":
            calculated = None

    parse_xml(xml, start, end, text)
    return every, areas
