"""Old workbooks (XLS): values and what is odd about them, both as the library xlrd reads them."""

import io
import struct
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from schemas.contract.refusals import Refusal
from transforms.formats.cells import EVERY_ROW, LARGEST_GRID, LARGEST_TEXT, WHOLE_ROW, Look, Sheets, too_far
from transforms.formats.number_formats import is_plain

if TYPE_CHECKING:
    from xlrd.book import Book
    from xlrd.sheet import Sheet

MOST_SHEETS = 1_000
# What reading damaged records raises.
DAMAGE = (struct.error, AssertionError, IndexError, KeyError, TypeError, AttributeError, RecursionError, OverflowError)


def xls_grids(content: bytes, is_wanted: Callable[[str], bool], _: str) -> tuple[list[str], Sheets]:
    """The names of all sheets; the cells of those that are wanted, and what is odd about them.

    Raises ValueError where the file is damaged, Refusal where it says two things at once or holds too much.
    """
    import xlrd

    try:
        _refuse_circles(content)
        log = io.StringIO()
        with xlrd.open_workbook(
            file_contents=content, logfile=log, formatting_info=True, on_demand=True, ragged_rows=True
        ) as book:
            names: list[str] = book.sheet_names()
            _refuse_twins(names, book._sh_abs_posn)
            codes = {index: book.format_map[style.format_key].format_str for index, style in enumerate(book.xf_list)}
            odd_codes = {index: code for index, code in codes.items() if not is_plain(code)}
            struck = {index for index, style in enumerate(book.xf_list) if book.font_list[style.font_index].struck_out}
            left = LARGEST_GRID
            read: Sheets = []
            for number, name in enumerate(names):
                if is_wanted(name):
                    sheet = _sheet(book, number, name, left)
                    left -= sheet.held
                    read.append((name, _cells(book, sheet), _look(book, sheet, odd_codes, struck)))
            return names, read
    except (xlrd.XLRDError, xlrd.compdoc.CompDocError, *DAMAGE) as error:
        if "encrypted" in str(error):
            raise Refusal("locked_file") from error
        raise ValueError("its records are damaged") from error


def _refuse_circles(content: bytes) -> None:
    """Refuse a file whose small sectors follow each other in a circle: the library would go round for ever."""
    from xlrd.compdoc import CompDoc

    if not content.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        raise ValueError("it has another beginning")
    table = CompDoc(content, logfile=io.StringIO()).SSAT
    visited: set[int] = set()
    for start in range(len(table)):
        chain: set[int] = set()
        at = start
        while 0 <= at < len(table) and at not in visited:
            if at in chain:
                raise ValueError("its sectors run in a circle")
            chain.add(at)
            at = table[at]
        visited |= chain


def _refuse_twins(names: Sequence[str], positions: Sequence[int]) -> None:
    if len(names) > MOST_SHEETS:
        raise Refusal("too_many_sheets", most=MOST_SHEETS)
    for number, (name, position) in enumerate(zip(names, positions, strict=True)):
        if position in positions[:number]:
            raise Refusal("sheet_of_two_names", sheet=name)
    plain = [name.casefold() for name in names]
    twice = next((name for name in names if plain.count(name.casefold()) > 1), None)
    if twice is not None:
        raise Refusal("sheet_twice", sheet=twice)


def _sheet(book: "Book", number: int, name: str, most: int) -> Any:
    """A sheet, in which every cell stands once, and no more than a bound of them."""
    from xlrd.biffh import XL_WORKSHEET
    from xlrd.sheet import XL_CELL_BLANK, XL_CELL_EMPTY, XL_CELL_TEXT, Sheet

    class Bounded(Sheet):  # type: ignore[misc]
        held = letters = 0

        def put_cell_ragged(self, rowx: int, colx: int, ctype: int | None, value: object, xf_index: int) -> None:
            if ctype in (XL_CELL_BLANK, XL_CELL_EMPTY):
                return
            if rowx < self.nrows:
                kinds = self._cell_types[rowx]
                if colx < len(kinds) and kinds[colx] != XL_CELL_EMPTY:
                    raise Refusal("cell_twice", row=rowx + 1)
            rows, self.held = self.nrows, self.held + 1
            width = len(self._cell_types[rowx]) if rowx < rows else 0
            self.held += max(colx - width, 0)
            if ctype == XL_CELL_TEXT:
                self.letters += len(str(value))
            if self.held > most or self.letters > LARGEST_TEXT:
                raise too_far()
            super().put_cell_ragged(rowx, colx, ctype, value, xf_index)

    book._position = book._sh_abs_posn[number]
    book.getbof(XL_WORKSHEET)
    sheet = Bounded(book, book._position, name, number)
    sheet.read(book)
    return sheet


def _cells(book: "Book", sheet: "Sheet") -> list[list[object]]:
    """The values of a sheet, from its first row and column on, all rows of one length."""
    from xlrd import XL_CELL_BOOLEAN, XL_CELL_DATE, XL_CELL_ERROR, xldate_as_datetime

    def value(kind: int, held: Any) -> object:
        if kind == XL_CELL_DATE:
            try:
                return xldate_as_datetime(held, book.datemode)
            except (ValueError, OverflowError):
                return str(held)
        return "" if kind == XL_CELL_ERROR else bool(held) if kind == XL_CELL_BOOLEAN else held

    rows = []
    for at in range(sheet.nrows):
        cells = [value(kind, held) for kind, held in zip(sheet.row_types(at), sheet.row_values(at), strict=True)]
        rows.append(cells)
    return rows


def _look(book: "Book", sheet: "Sheet", codes: dict[int, str], struck: set[int]) -> Look:
    """What is odd about the cells of a sheet, and its merged areas."""
    from xlrd import XL_CELL_ERROR

    look = Look(shows_zeros=bool(sheet.show_zero_values))
    look.merged = [((top, left), (bottom - 1, right - 1)) for top, bottom, left, right in sheet.merged_cells]
    if sheet.visibility:
        look.odd[EVERY_ROW, WHOLE_ROW] = "hidden_row"
    for column, facts in sheet.colinfo_map.items():
        if facts.hidden or not facts.width:
            look.odd[EVERY_ROW, column] = "hidden_column"
    for row in range(sheet.nrows):
        facts = sheet.rowinfo_map.get(row)
        is_flat = facts and not facts.height and not facts.has_default_height
        if (facts.hidden or is_flat) if facts else (sheet.default_row_hidden and sheet.row_len(row)):
            look.odd[row + 1, WHOLE_ROW] = "hidden_row"
        for column, (kind, style) in enumerate(zip(sheet.row_types(row), sheet._cell_xf_indexes[row], strict=True)):
            if kind == XL_CELL_ERROR:
                look.odd[row + 1, column] = "error_cell"
            elif style in struck:
                look.odd[row + 1, column] = "struck_out"
            elif style in codes:
                look.formats[row + 1, column] = codes[style]
    for (row, column), runs in sheet.rich_text_runlist_map.items():
        if any(font < len(book.font_list) and book.font_list[font].struck_out for _, font in runs):
            look.odd[row + 1, column] = "struck_out"
    return look
