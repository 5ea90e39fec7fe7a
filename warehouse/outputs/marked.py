"""The workbook for an office: its own table, with the cells that could not be admitted marked and explained."""

import re
from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

FIRST_SHEET = "Perlu diperbaiki"
HEADINGS = {
    "sheet": "Lembar / Sheet",
    "row": "Baris / Row",
    "column": "Kolom / Column",
    "region": "Wilayah / Region",
    "item": "Indikator / Indicator",
    "value_text": "Nilai / Value",
    "message_id": "Masalah",
    "action_id": "Yang perlu dilakukan",
    "message_en": "Problem",
    "action_en": "What to do",
    "rule": "Aturan / Rule",
}
WIDTHS = {"sheet": 12, "row": 8, "value_text": 12, "message_id": 45, "action_id": 40, "message_en": 45, "action_en": 40}
LINE_HEIGHT = 15
MOST_COMMENTS = 5_000  # in a sheet; a workbook with more opens slowly, and nobody reads them
MOST_LISTED = 50_000


class MarkedTable(NamedTuple):
    """A sheet as it was sent: its name, the rows with their numbers, and the labels of the columns."""

    sheet: str | None
    rows: Sequence[tuple[int, Sequence[object]]]
    header: Sequence[str]


def write_marked(file: Path, tables: Iterable[MarkedTable], violations: Sequence[Mapping[str, Any]]) -> None:
    """Write an extract as a workbook: first what must be mended, then its sheets with every offending cell marked and
    commented. Nothing that was sent becomes a formula or a link.
    """
    import xlsxwriter

    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": True,
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)  # a link is replaced, what it leads to is not
    with xlsxwriter.Workbook(str(file), options) as workbook:
        bold = workbook.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        wrapped = workbook.add_format({"text_wrap": True, "valign": "top"})
        bad = workbook.add_format({"bg_color": "#FFC7CE", "font_color": "#9C0006", "border": 1})
        listed = workbook.add_worksheet(FIRST_SHEET)
        listed.freeze_panes(1, 0)
        listed.set_landscape()
        listed.fit_to_pages(1, 0)
        listed.repeat_rows(0)
        for column, (name, heading) in enumerate(HEADINGS.items()):
            listed.set_column(column, column, _width(name))
            listed.write_string(0, column, heading, bold)
        listed.set_row(0, 2 * LINE_HEIGHT)
        for line, problem in enumerate(violations, start=1):
            # Excel finds the height of wrapped text itself, other programs do not.
            lines = max(ceil(len(str(problem[name] or "")) / _width(name)) for name in HEADINGS)
            listed.set_row(line, LINE_HEIGHT * (lines + (lines > 1)))
            for column, name in enumerate(HEADINGS):
                _write(listed, line, column, problem[name], wrapped)
        names = {FIRST_SHEET.lower()}
        for table in tables:
            sheet = workbook.add_worksheet(_sheet_name(table.sheet, names))
            shift = 0 if table.rows and table.rows[0][0] == 0 else 1
            for number, cells in table.rows:
                for column, cell in enumerate(cells):
                    _write(sheet, number - shift, column, cell)
            sheet.fit_to_pages(1, 0)
            sheet.set_landscape()
            sheet.autofit(max_width=300)
            _mark(sheet, table, [each for each in violations if each["sheet"] == table.sheet], shift, bad)


def _width(name: str) -> int:
    return WIDTHS.get(name, 20)


def _mark(sheet: Any, table: MarkedTable, violations: Sequence[Mapping[str, Any]], shift: int, bad: Any) -> None:
    column_of = {label: column for column, label in reversed(list(enumerate(table.header)))}
    rows = dict(table.rows)
    sentences_of: dict[tuple[int, int], list[str]] = {}
    for each in violations:
        column = column_of.get(each["column"] or "", 0)
        sentences = sentences_of.setdefault((each["row"], column), [])
        sentence = "\n".join(
            f"{each[f'message_{tongue}']} {each[f'action_{tongue}']}".strip() for tongue in ("id", "en")
        )
        if sentence not in sentences:
            sentences.append(sentence)
    for count, ((number, column), sentences) in enumerate(sorted(sentences_of.items())):
        cells = rows.get(number, ())
        _write(sheet, number - shift, column, cells[column] if column < len(cells) else None, bad)
        if count < MOST_COMMENTS:
            sheet.write_comment(number - shift, column, "\n\n".join(sentences)[:2_000], {"width": 360, "height": 140})


def _write(sheet: Any, row: int, column: int, cell: object, style: Any = None) -> None:
    if cell is None or cell == "":
        sheet.write_blank(row, column, None, style)
    elif isinstance(cell, bool):
        sheet.write_boolean(row, column, cell, style)
    elif isinstance(cell, (int, float)) and abs(cell) < 1e300:
        sheet.write_number(row, column, cell, style)
    else:
        sheet.write_string(row, column, str(cell)[:32_000], style)


def _sheet_name(name: str | None, taken: set[str]) -> str:
    """A name that a workbook can have and that is not taken yet."""
    bare = re.sub(r"[\[\]:*?/\\\x00-\x1f]", "_", name or "Data")[:26].strip("'") or "Data"
    free = next(each for each in (bare, *(f"{bare} {n}" for n in range(2, 10_000))) if each.lower() not in taken)
    taken.add(free.lower())
    return free
