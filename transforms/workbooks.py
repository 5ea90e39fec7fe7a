"""Workbooks (XLSX, XLS, ODS) as grids of cells, with what is odd about a cell: a value that is not what it seems."""

import io
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from schemas.sources import Source, plain
from schemas.violations import Refusal
from transforms.cells import LARGEST_GRID, WHOLE_ROW, Area, Grid, Odd, too_far
from transforms.containers import BROKEN, is_panic
from transforms.ods import ods_oddities
from transforms.xls import xls_oddities
from transforms.xlsx import xlsx_oddities


def workbook_grids(content: bytes, source: Source) -> list[Grid]:
    """The sheets that the source names. Raises Refusal where the workbook cannot be opened or has none of them."""
    from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum

    grids: list[Grid] = []
    try:
        odd, areas = _oddities(content, source.format)
        with CalamineWorkbook.from_filelike(io.BytesIO(content)) as workbook:
            names, total = workbook.sheet_names, 0
            visible = SheetVisibleEnum.Visible
            hidden = {each.name for each in workbook.sheets_metadata if each.visible != visible}
            for name in names:
                if not fnmatchcase(plain(name), plain(source.sheet or "*")):
                    continue
                sheet = workbook.get_sheet_by_name(name)
                total += sheet.total_height * sheet.total_width
                if total > LARGEST_GRID:
                    raise too_far()
                if source.format == "xlsx" and name not in odd:
                    raise Refusal(f"the cells of the sheet '{name}' cannot be looked at; save the workbook anew.")
                cells = sheet.to_python(skip_empty_area=False)
                merged = sheet.merged_cell_ranges or areas.get(name, ())
                of_sheet = dict(odd.get(name, {}))
                if name in hidden:
                    of_sheet |= {(row, WHOLE_ROW): "hidden_row" for row in range(1, len(cells) + 1)}
                grids.append(Grid(name, list(enumerate(cells, start=1)), of_sheet, merged))
    except Refusal:
        raise
    except (CalamineError, *BROKEN) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise Refusal(f"the workbook cannot be opened ({reason}); save it anew as .{source.format}.") from error
    except BaseException as error:
        if not is_panic(error):
            raise
        raise Refusal(f"the workbook is damaged; save it anew as .{source.format}.") from error
    if not grids:
        listed = ", ".join(names) or "none"
        raise Refusal(f"it has no sheet '{source.sheet}' (sheets: {listed}); name the sheet so.")
    return grids


def _oddities(content: bytes, kind: str) -> tuple[Mapping[str, Odd], Mapping[str, Sequence[Area]]]:
    """What is odd about the cells of each sheet, and the merged areas that the reader of values does not tell."""
    match kind:
        case "xlsx":
            return xlsx_oddities(content), {}
        case "xls":
            return xls_oddities(content), {}
        case _:
            return ods_oddities(content)
