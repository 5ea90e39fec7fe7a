"""From the bytes of an extract to grids of cells, in the format that its source declares."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import polars as pl

from schemas.errors import Refusal
from schemas.methodology.sources import Source
from transforms.formats.cells import LARGEST_GRID, LARGEST_TEXT, MOST_COLUMNS, Grid
from transforms.formats.containers import is_panic, is_workbook, unpacked
from transforms.formats.workbooks import workbook_grids

SIGNATURES = {
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a zip archive or an Office workbook",
    b"\xd0\xcf\x11\xe0": "an old Office document",
    b"PAR1": "a Parquet file",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"<!DO": "a web page",
    b"<htm": "a web page",
}
EXPECTED = {
    "csv": (),
    "json": (),
    "ndjson": (),
    "xlsx": (b"PK\x03\x04",),
    "ods": (b"PK\x03\x04",),
    "xls": (b"\xd0\xcf\x11\xe0",),
    "parquet": (b"PAR1",),
}
WORKBOOKS = ("xlsx", "xls", "ods")
LONGEST_CELL = 131_072  # letters
MOST_LINES = 3_000_000
MOST_OBJECTS = 2_000_000
MOST_GROUPS = 10_000  # of rows of a Parquet file
PARQUET_BATCH = 16_384  # rows
SEPARATORS = (";", ",", "\t", "|")
BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def grids(content: bytes, source: Source) -> list[list[Grid]]:
    """The grids of an extract, unpacked: of each one the ways to cut it, of which a CSV whose separator is to be
    detected has several. Raises Refusal where the extract is not what the source declares.
    """
    if not content:
        raise Refusal("it is empty; send the table.")
    found: list[list[Grid]] = []
    for name, part in unpacked(content):
        try:
            _refuse_other_format(part, source)
        except Refusal as refusal:
            raise Refusal(f"{name}: {refusal}" if name else str(refusal)) from refusal
        found += [[way._replace(sheet=_inside(name, way.sheet)) for way in ways] for ways in _grids_of(part, source)]
    return found


def _inside(name: str | None, sheet: str | None) -> str | None:
    return "/".join(each for each in (name, sheet) if each) or None


def _refuse_other_format(content: bytes, source: Source) -> None:
    expected, name = EXPECTED[source.format], source.format.upper()
    if not content.strip():
        raise Refusal("it is empty; send the table.")
    if content.startswith(b"\xd0\xcf\x11\xe0") and "EncryptedPackage".encode("utf-16-le") in content:
        raise Refusal("it is locked with a password; send it without.")
    for signature, kind in SIGNATURES.items():
        if content.startswith(signature) and signature not in expected:
            raise Refusal(f"it is {kind}, not {name}; send the table as {name}.")
    if expected and not content.startswith(expected):
        kind = "file" if source.format == "parquet" else "workbook"
        raise Refusal(f"it is not an {name} {kind}; save it as .{source.format}.")
    if source.format in ("xlsx", "ods") and not is_workbook(content):
        raise Refusal(f"it is not an {name} workbook; save it as .{source.format}.")


def _grids_of(content: bytes, source: Source) -> Iterable[list[Grid]]:
    match source.format:
        case "csv":
            return [csv_grids(content, source)]
        case "json":
            return [[_record_grid(_json_records(decoded(content, source)))]]
        case "ndjson":
            return [[_record_grid(_line_records(decoded(content, source)))]]
        case "parquet":
            return [[parquet_grid(content)]]
        case _:
            return ([grid] for grid in workbook_grids(content, source))


def decoded(content: bytes, source: Source) -> str:
    """The text of an extract in its declared encoding, or in the one that all of its bytes fit. Raises Refusal."""
    marked = next((name for mark, name in BYTE_ORDER_MARKS.items() if content.startswith(mark)), None)
    declared = source.encoding or "utf-8"
    if declared == "detect":
        tries = [marked] if marked else ["utf-8", "cp1252"]
    elif declared == "utf-16" and not marked:
        tries = ["utf-16-le"]
    else:
        tries = [marked if marked and marked.startswith(declared) else declared]
    text = None
    for encoding in tries:
        try:
            text = content.decode(encoding)
            break
        except UnicodeError as error:
            reason = error
    if text is None:
        said = "any text encoding that is read" if declared == "detect" else f"{declared} text, as the source declares"
        raise Refusal(f"it is not {said} ({reason}); save it as UTF-8.") from None
    if "\0" in text:
        raise Refusal("it contains NUL bytes, so it is not a text file; send the table as CSV.")
    return text.removeprefix("\ufeff")


def csv_grids(content: bytes, source: Source) -> list[Grid]:
    """The grid of a CSV in the declared dialect; where the separator is to be detected, one for each that cuts it.

    Raises Refusal where it cannot be read for certain.
    """
    text = decoded(content, source)
    if text.count("\r") > text.count("\r\n"):
        raise Refusal("it has lone carriage returns as line ends; save it with ordinary line ends.")
    if text.count("\n") > MOST_LINES:
        raise Refusal(f"it has more than {MOST_LINES:,} lines; send it in parts.")
    if source.separator != "detect":
        assert source.separator
        return [_csv_grid(text, source.separator)]
    ways: list[Grid] = []
    reason = Refusal("it has no separator that is known.")
    for separator in SEPARATORS:
        if separator not in text:
            continue
        try:
            ways.append(_csv_grid(text, separator, sum(len(cells) for way in ways for _, cells in way.rows)))
        except _TooManyCells:
            raise
        except Refusal as refusal:
            reason = refusal
    if not ways:
        raise reason
    return ways


class _TooManyCells(Refusal):
    """A table that is too large, in whatever way it is cut."""

    def __init__(self) -> None:
        super().__init__(f"it has more than {LARGEST_GRID:,} cells; send it in parts.")


def _lines(text: str) -> Iterator[str]:
    """The lines of a text with their ends, without a second copy of it."""
    start = 0
    while end := text.find("\n", start) + 1:
        yield text[start:end]
        start = end
    if start < len(text):
        yield text[start:]


def _csv_grid(text: str, separator: str, cells_read: int = 0) -> Grid:
    reader = csv.reader(_lines(text), delimiter=separator, strict=True)
    rows: list[tuple[int, list[str]]] = []
    width = 0
    try:
        for number, cells in enumerate(reader, start=1):
            if len(cells) > MOST_COLUMNS:
                raise Refusal(f"row {number} has {len(cells)} columns; at most {MOST_COLUMNS} are read.")
            width = max(width, len(cells))
            if any(len(cell) > LONGEST_CELL for cell in cells):
                # The reader's own limit is the process's, and libraries lift it.
                raise csv.Error(f"a cell is larger than {LONGEST_CELL} letters")
            if any("\n" in cell and _looks_like_rows(cell, separator, width) for cell in cells):
                raise Refusal(
                    f"row {number} has a quoted cell that runs over lines which look like rows of their own; a "
                    "quotation mark may be missing, or stand for 'ditto'. Write quotation marks in pairs."
                )
            cells_read += len(cells)
            if cells_read > LARGEST_GRID:
                raise _TooManyCells
            if cells:
                rows.append((number, cells))
    except csv.Error as error:
        raise Refusal(f"it is not a well-formed CSV (line {reader.line_num}: {error}); check its quotes.") from error
    return Grid(None, rows, {})


def _looks_like_rows(cell: str, separator: str, width: int) -> bool:
    """Whether a quoted cell has swallowed rows: a line in it has as many separators as a row."""
    return any(line.count(separator) >= max(width - 1, 1) for line in cell.splitlines()[1:])


def _json_records(text: str) -> list[dict[str, Any]]:
    """The objects of a JSON list, or of the one list in a JSON object."""
    data = _json(text, "it")
    if isinstance(data, dict):
        lists = [value for value in data.values() if isinstance(value, list)]
        if len(lists) != 1:
            raise Refusal("it is a JSON object without one list of rows; send a list of objects.")
        data = lists[0]
    if not isinstance(data, list) or not all(isinstance(each, dict) for each in data):
        raise Refusal("it is no JSON list of objects, one for each row; send it so.")
    return data


def _line_records(text: str) -> list[dict[str, Any]]:
    records = []
    if text.count("\n") > MOST_LINES:
        raise Refusal(f"it has more than {MOST_LINES:,} lines; send it in parts.")
    for number, line in enumerate(_lines(text), start=1):
        if line.strip():
            record = _json(line, f"line {number}")
            if not isinstance(record, dict):
                raise Refusal(f"line {number} is no JSON object; send one object in each line.")
            records.append(record)
    return records


def _json(text: str, what: str) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        if len(names) >= MOST_COLUMNS:
            raise Refusal(f"an object has {len(names)} keys; at most {MOST_COLUMNS} are read.")
        if len(set(names)) < len(names):
            twice = Counter(names).most_common(1)[0][0]
            raise Refusal(f"the key {twice} stands twice in one object; keep one.")
        return dict(pairs)

    def whole(digits: str) -> object:
        return int(digits) if len(digits) < 300 else digits

    if text.count("{") + text.count("[") > MOST_OBJECTS or text.count(",") > 2 * LARGEST_GRID:
        raise Refusal(
            f"it has more than {MOST_OBJECTS:,} objects and lists or {LARGEST_GRID:,} cells; send it in parts."
        )
    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=str, parse_int=whole)
    except RecursionError:
        raise Refusal(f"{what} is nested too deeply to be a table; send a list of objects.") from None
    except ValueError as error:
        raise Refusal(f"{what} is not well-formed JSON ({error}); send it anew.") from error


def _record_grid(records: Sequence[dict[str, Any]]) -> Grid:
    """Records as a grid: the first row has the keys, in the order in which they first appear."""
    keys = list(dict.fromkeys(key for record in records for key in record))
    if len(keys) * max(len(records), 1) > LARGEST_GRID or len(keys) > MOST_COLUMNS:
        raise Refusal(f"it has more than {LARGEST_GRID:,} cells or {MOST_COLUMNS} columns; send it in parts.")

    def cell(value: Any) -> object:
        if isinstance(value, (list, dict)):
            value = json.dumps(value, ensure_ascii=False)
        if isinstance(value, str):
            if len(value) > LONGEST_CELL:
                raise Refusal(f"a cell is larger than {LONGEST_CELL:,} letters; send the table without it.")
            if not value.isascii():
                value.encode()
        return value

    body = ((number, [cell(record.get(key)) for key in keys]) for number, record in enumerate(records, start=1))
    try:
        return Grid(None, [(0, [cell(key) for key in keys]), *body], {})
    except UnicodeEncodeError as error:
        raise Refusal(f"it is not well-formed JSON ({error}); send it anew.") from error


def parquet_grid(content: bytes) -> Grid:
    """The grid of a Parquet file: the first row has the names of its columns. Raises Refusal."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # Texts are read as dictionaries, so that one that stands in many rows is there once until it is measured.
        schema = pq.read_schema(io.BytesIO(content))
        names = schema.names
        if len(names) > MOST_COLUMNS:
            raise _too_wide()
        texts = [each.name for each in schema if pa.types.is_large_string(each.type) or pa.types.is_string(each.type)]
        file = pq.ParquetFile(io.BytesIO(content), read_dictionary=texts)
        if file.metadata.num_rows * len(names) > LARGEST_GRID:
            raise _too_wide()
        nested = [field.name for field in schema if pa.types.is_nested(field.type)]
        if nested:
            raise Refusal(f"the column {nested[0]} is nested; send flat columns.")
        if file.metadata.num_row_groups > MOST_GROUPS:
            raise Refusal(f"it has {file.metadata.num_row_groups:,} groups of rows; at most {MOST_GROUPS:,} are read.")
        rows: list[tuple[object, ...]] = []
        letters = 0
        for batch in file.iter_batches(batch_size=PARQUET_BATCH):
            batch.validate(full=True)
            letters += sum(map(_letters, batch.columns))
            if letters > LARGEST_TEXT:
                raise Refusal(f"its texts are larger than {LARGEST_TEXT // 1_000_000} MB together; send it in parts.")
            plain = [each.dictionary_decode() if pa.types.is_dictionary(each.type) else each for each in batch.columns]
            table = pl.from_arrow(pa.table(plain, names=[str(at) for at in range(len(names))]))
            assert isinstance(table, pl.DataFrame)
            rows += table.rows()
    except (pa.ArrowException, OSError, ValueError, OverflowError, pl.exceptions.PolarsError) as error:
        raise Refusal(f"the Parquet file cannot be read ({str(error).splitlines()[0]}); send it anew.") from error
    except BaseException as error:
        if not is_panic(error):
            raise
        raise Refusal("the Parquet file cannot be read (a type or value that is not read); send it anew.") from error
    return Grid(None, [(0, names), *enumerate(rows, start=1)], {})


def _too_wide() -> Refusal:
    return Refusal(f"it has more than {LARGEST_GRID:,} cells or {MOST_COLUMNS} columns; send it in parts.")


def _letters(column: Any) -> int:
    """The bytes of the texts of a column, each as often as it stands. Raises Refusal for one that is too long."""
    import pyarrow as pa
    import pyarrow.compute as pc

    is_dictionary = pa.types.is_dictionary(column.type)
    values = column.dictionary if is_dictionary else column
    kinds = pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary
    if not any(is_kind(values.type) for is_kind in kinds):
        return 0
    lengths = pc.binary_length(values)
    if (pc.max(lengths).as_py() or 0) > LONGEST_CELL:
        raise Refusal(f"a cell is larger than {LONGEST_CELL:,} letters; send the table without it.")
    return pc.sum(lengths.take(column.indices) if is_dictionary else lengths).as_py() or 0
