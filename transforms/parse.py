"""From the bytes of an extract to rows: one row per figure, every cell as written, with sheet and row."""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from schemas.sources import NUMBER_FORMS, Source, plain
from schemas.violations import Refusal

SIGNATURES = {
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a zip archive or an Office workbook",
    b"\xd0\xcf\x11\xe0": "an old Office document",
    b"\x1f\x8b": "a gzip archive",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"<!DO": "a web page",
    b"<htm": "a web page",
}
LARGEST_GRID = 20_000_000  # cells
LARGEST_SHEET = 1_000_000_000  # bytes of a sheet's XML
CELL = re.compile(rb'<c [^>]*?r="([A-Z]{1,3})([0-9]{1,7})"')
EXPECTED = {"csv": (), "xlsx": (b"PK\x03\x04",)}


class Grid(NamedTuple):
    """A table as it stands in the file: the header, and a frame of its rows.

    The frame has `row`, the cells `c0`.. as text, the numbers `n0`.. of number cells (null elsewhere), and `is_ragged`
    for rows with more or fewer cells than the header.
    """

    sheet: str | None
    header: tuple[str, ...]
    cells: pl.DataFrame


def plain_expr(column: pl.Expr) -> pl.Expr:
    """A column of labels without differences of case and spacing, as `schemas.sources.plain` does for one."""
    return column.str.replace_all(r"\s+", " ").str.strip_chars().str.to_lowercase()


def number_expr(text: pl.Expr, style: str) -> pl.Expr:
    """The number that a text stands for in a style, null where it is none: 1.234,5 (indonesian), 1,234.5 (english)."""
    group, decimal = (".", ",") if style == "indonesian" else (",", ".")
    bare = text.str.replace_all(group, "", literal=True).str.replace(decimal, ".", literal=True)
    return pl.when(text.str.contains(rf"^(?:{NUMBER_FORMS[style]})$")).then(bare).cast(pl.Float64, strict=False)


def csv_grid(content: bytes, source: Source) -> Grid:
    """The grid of a CSV in the source's declared dialect; the header is its first row that is not blank.

    Raises Refusal where it cannot be read for certain.
    """
    assert source.separator
    assert source.encoding
    try:
        text = content.decode("utf-8-sig" if source.encoding == "utf-8" else source.encoding)
    except UnicodeError as error:
        raise Refusal(
            f"it is not {source.encoding} text, as the source declares ({error}); save it as such."
        ) from error
    if "\0" in text:
        raise Refusal("it contains NUL bytes, so it is not a text file; send the table as CSV.")
    if "\r" in text.replace("\r\n", ""):
        raise Refusal("it has lone carriage returns as line ends; save it with ordinary line ends.")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=source.separator, strict=True)
    rows: list[tuple[int, list[str]]] = []
    try:
        for number, cells in enumerate(reader, start=1):
            if any(source.separator in line for cell in cells for line in cell.splitlines()[1:]):
                raise Refusal(
                    f"row {number} has a quoted cell that runs over lines which look like rows of their own; a "
                    "quotation mark may be missing, or stand for 'ditto'. Write quotation marks in pairs."
                )
            rows.append((number, cells))
    except csv.Error as error:
        raise Refusal(f"it is not a well-formed CSV (line {reader.line_num}: {error}); check its quotes.") from error
    written = [(number, cells) for number, cells in rows if any(cell.strip() for cell in cells)]
    return _text_grid(written)


def _text_grid(rows: list[tuple[int, list[str]]]) -> Grid:
    header = rows[0][1] if rows else []
    width = len(header)
    data: dict[str, Sequence[object]] = {"row": [number for number, _ in rows[1:]]}
    for index in range(width):
        data[f"c{index}"] = [cells[index] if index < len(cells) else None for _, cells in rows[1:]]
        data[f"n{index}"] = [None] * (len(rows) - 1)
    data["is_ragged"] = [len(cells) != width for _, cells in rows[1:]]
    return Grid(None, tuple(header), pl.DataFrame(data, schema=_grid_schema(width)))


def _grid_schema(width: int) -> dict[str, type[pl.DataType]]:
    cells: dict[str, type[pl.DataType]] = {f"c{index}": pl.String for index in range(width)}
    return {"row": pl.UInt32, **cells, **{f"n{index}": pl.Float64 for index in range(width)}, "is_ragged": pl.Boolean}


def xlsx_grid(content: bytes, source: Source) -> Grid:
    """The grid of the source's sheet: the header is the first row. Raises Refusal."""
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        _refuse_far_cells(content)
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        names = workbook.sheet_names
        table = None
        if source.sheet in names:
            table = workbook.get_sheet_by_name(source.sheet).to_python(skip_empty_area=False)
    except (CalamineError, OSError, ValueError, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise Refusal(f"the workbook cannot be opened ({reason}); save it anew as .xlsx.") from error
    if table is None:
        sheets = ", ".join(names) or "none"
        raise Refusal(f"it has no sheet '{source.sheet}' (sheets: {sheets}); name the sheet so.")
    header = tuple(_cell_text(cell) or "" for cell in table[0]) if table else ()
    while header and not header[-1]:
        header = header[:-1]
    body = list(enumerate(table[1:], start=2))
    width = len(header)
    data: dict[str, Sequence[object]] = {"row": [row for row, _ in body]}
    for index in range(width):
        data[f"c{index}"] = [_cell_text(cells[index]) for _, cells in body]
        data[f"n{index}"] = [_cell_number(cells[index]) for _, cells in body]
    data["is_ragged"] = [any(_cell_text(cell) for cell in cells[width:]) for _, cells in body]
    return Grid(source.sheet, header, pl.DataFrame(data, schema=_grid_schema(width)))


def _refuse_far_cells(content: bytes) -> None:
    """Refuse a workbook whose sheets span more than `LARGEST_GRID` cells: readers lay out the whole rectangle.

    Raises Refusal, and zipfile's and zlib's errors where the archive is broken.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for part in archive.infolist():
            if not part.filename.startswith("xl/worksheets/") or part.is_dir():
                continue
            rows = columns = read = 0
            with archive.open(part) as sheet:
                rest = b""
                while block := sheet.read(1 << 20):
                    read += len(block)
                    for letters, digits in CELL.findall(rest + block):
                        column = sum((each - 64) * 26**place for place, each in enumerate(reversed(letters)))
                        rows, columns = max(rows, int(digits)), max(columns, column)
                    rest = block[-32:]
                    if rows * columns > LARGEST_GRID or read > LARGEST_SHEET:
                        raise Refusal(
                            "a sheet reaches too far or holds too much; remove stray cells far from the table."
                        )


def _cell_text(cell: object) -> str | None:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return None if cell is None or cell == "" else str(cell)


def _cell_number(cell: object) -> float | None:
    return float(cell) if isinstance(cell, (int, float)) and not isinstance(cell, bool) else None


def grid(content: bytes, source: Source) -> Grid:
    """The table of an extract as the source declares it. Raises Refusal where the file is not such a file."""
    if not content:
        raise Refusal("it is empty; send the table.")
    for signature, name in SIGNATURES.items():
        if content.startswith(signature) and signature not in EXPECTED[source.format]:
            raise Refusal(f"it is {name}, not {source.format.upper()}; send the table as {source.format.upper()}.")
    if EXPECTED[source.format] and not content.startswith(EXPECTED[source.format]):
        raise Refusal(f"it is not an {source.format.upper()} workbook; save it as .{source.format}.")
    found = csv_grid(content, source) if source.format == "csv" else xlsx_grid(content, source)
    cells = [name for name in found.cells.columns if name.startswith("c")]
    blank = (
        pl.all_horizontal(pl.col(cells).is_null() | (pl.col(cells).str.strip_chars() == "")) if cells else pl.lit(True)
    )
    return found._replace(cells=found.cells.filter(~blank))


def extract_rows(content: bytes, source: Source) -> pl.DataFrame:
    """The rows of an extract: `sheet`, `row`, `region`, `item`, `value_text`, `number` (of a number cell), `reference`.

    Every text is stripped, blank ones are null. Events also have `severity` and `date`. `is_evidenced` tells rows that
    name a reference or evidence; the text of the evidence goes no further. `region_column`, `item_column` and
    `value_column` are what the extract calls these columns; `is_ragged` tells rows with more or fewer cells.

    Raises Refusal where a column is missing or there is no row.
    """
    table = grid(content, source)
    place = {plain(label): index for index, label in reversed(list(enumerate(table.header)))}
    wanted = {"region": source.columns.region, "item": source.columns.item, "value": source.columns.value}
    optional = {
        "reference": source.columns.reference,
        "severity": source.columns.severity,
        "date": source.columns.date,
        "evidence": source.columns.evidence,
    }
    found = {
        role: next((place[plain(label)] for label in labels if plain(label) in place), None)
        for role, labels in {**wanted, **optional}.items()
    }
    values = {label: place.get(plain(label)) for label in source.items} if source.layout == "wide" else {}
    labels_read = {label for each in (*wanted.values(), *optional.values()) for label in each} | values.keys()
    named = [plain(label) for label in table.header]
    for label in labels_read:
        if named.count(plain(label)) > 1:
            raise Refusal(f"the column {label} stands twice; keep one.")
    missing = [" or ".join(labels) for role, labels in wanted.items() if labels and found[role] is None]
    missing += [label for label, index in values.items() if index is None]
    missing += [
        " or ".join(labels)
        for role, labels in optional.items()
        if role == "severity" and labels and found[role] is None
    ]
    if missing:
        labels = ", ".join(label for label in table.header if label) or "none"
        hint = "add it" if len(missing) == 1 else "add them"
        if source.format == "csv" and len(table.header) == 1 and any(mark in labels for mark in ",;\t|"):
            hint = f"the source declares '{source.separator}' as separator, and the file seems to have another"
        raise Refusal(f"columns are missing: {', '.join(missing)} (columns found: {labels}); {hint}.")
    if table.cells.is_empty():
        raise Refusal("it has a header but no rows; send the figures.")

    def text(index: int | None) -> pl.Expr:
        if index is None:
            return pl.lit(None, pl.String)
        stripped = pl.col(f"c{index}").str.replace_all("\u00a0", " ").str.strip_chars()
        return pl.when(stripped != "").then(stripped)

    def header(index: int | None) -> pl.Expr:
        return pl.lit(None if index is None else table.header[index], pl.String)

    def rows_of(item: pl.Expr, value: int) -> pl.DataFrame:
        return table.cells.select(
            pl.lit(table.sheet, pl.String).alias("sheet"),
            pl.col("row").cast(pl.Int64),
            text(found["region"]).alias("region"),
            item.alias("item"),
            text(value).alias("value_text"),
            pl.col(f"n{value}").alias("number"),
            text(found["reference"]).alias("reference"),
            text(found["severity"]).alias("severity"),
            text(found["date"]).alias("date"),
            pl.coalesce(text(found["reference"]), text(found["evidence"])).is_not_null().alias("is_evidenced"),
            header(found["region"]).alias("region_column"),
            header(value if source.layout == "wide" else found["item"]).alias("item_column"),
            header(value).alias("value_column"),
            "is_ragged",
        )

    if source.layout == "wide":
        parts = [rows_of(pl.lit(label), index) for label, index in values.items() if index is not None]
        return pl.concat(parts).sort("row", maintain_order=True)
    assert found["value"] is not None
    return rows_of(text(found["item"]), found["value"])
