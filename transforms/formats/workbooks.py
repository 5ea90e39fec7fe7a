"""Workbooks (XLSX, XLS, ODS) as grids of cells, with what is odd about a cell: a value that is not what it seems."""

import io
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase

from schemas.contract.refusals import Refusal
from schemas.methodology.sources import Source, plain
from transforms.formats.cells import EVERY_ROW, LARGEST_GRID, WHOLE_ROW, Area, Cells, Grid, Look, Odd, Sheets, too_far
from transforms.formats.containers import BROKEN, is_panic
from transforms.formats.number_formats import HIDES, shown_as
from transforms.formats.ods import ods_looks
from transforms.formats.xls import xls_grids
from transforms.formats.xlsx import xlsx_looks

MOST_MERGED = 50_000


def workbook_grids(content: bytes, source: Source) -> list[Grid]:
    """The sheets that the source names. Raises Refusal where the workbook cannot be opened or has none of them."""
    from python_calamine import CalamineError

    def is_wanted(name: str) -> bool:
        return fnmatchcase(plain(name), plain(source.sheet or "*"))

    try:
        names, read = (xls_grids if source.format == "xls" else _read_beside)(content, is_wanted, source.format)
        grids = [_grid(name, cells, look) for name, cells, look in read]
    except Refusal:
        raise
    except (CalamineError, *BROKEN) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise Refusal("workbook_broken", reason=reason, ending=source.format) from error
    except BaseException as error:
        if not is_panic(error):
            raise
        raise Refusal("workbook_damaged", ending=source.format) from error
    if not grids:
        raise Refusal("no_sheet", sheet=source.sheet, sheets=names)
    return grids


def _read_beside(content: bytes, is_wanted: Callable[[str], bool], kind: str) -> tuple[list[str], Sheets]:
    """The names of all sheets; the values of those that are wanted, and what is odd about them."""
    from python_calamine import CalamineWorkbook, SheetVisibleEnum

    looks = xlsx_looks(content) if kind == "xlsx" else ods_looks(content)
    with CalamineWorkbook.from_filelike(io.BytesIO(content)) as workbook:
        names, total = workbook.sheet_names, 0
        read: Sheets = []
        hidden = {each.name for each in workbook.sheets_metadata if each.visible != SheetVisibleEnum.Visible}
        for name in filter(is_wanted, names):
            if name not in looks:
                raise Refusal("sheet_unseen", sheet=name)
            sheet, look = workbook.get_sheet_by_name(name), looks[name]
            total += sheet.total_height * sheet.total_width
            if total > LARGEST_GRID:
                raise too_far()
            look.merged.extend(sheet.merged_cell_ranges or ())
            if name in hidden:
                look.odd[EVERY_ROW, WHOLE_ROW] = "hidden_row"
            read.append((name, sheet.to_python(skip_empty_area=False), look))
    return names, read


def _grid(name: str, cells: Cells, look: Look) -> Grid:
    """The grid of a sheet, in which formats have been held against the values that they show."""
    odd: Odd = {}
    for (row, column), code in look.formats.items():
        value = cells[row - 1][column] if row <= len(cells) and column < len(cells[row - 1]) else None
        if rule := shown_as(code, value):
            odd[row, column] = rule
    if not look.shows_zeros:
        zeros = ((row, at) for row, values in enumerate(cells, start=1) for at, each in enumerate(values) if each == 0)
        odd |= dict.fromkeys(zeros, HIDES)
    return Grid(name, list(enumerate(cells, start=1)), odd | look.odd, _merged(look.merged, cells))


def _merged(areas: Sequence[Area], cells: Cells) -> list[Area]:
    """The merged areas of more than one cell that reach into the cells. Raises Refusal for areas over each other."""
    height, width = len(cells), max(map(len, cells), default=0)
    kept: list[Area] = []
    covered = 0
    for (top, left), (bottom, right) in areas:
        within = max(min(bottom + 1, height) - top, 0) * max(min(right + 1, width) - left, 0)
        covered += within
        if covered > height * width or len(kept) > MOST_MERGED:
            raise Refusal("merged_over_each_other")
        if within and (top, left) != (bottom, right):
            kept.append(((top, left), (bottom, right)))
    return kept
