"""From the bytes of an extract to grids of cells, in the format that its source declares."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import polars as pl

from schemas.contract.refusals import Refusal
from schemas.methodology.sources import Source
from transforms.formats.cells import LARGEST_GRID, LARGEST_TEXT, MOST_COLUMNS, Grid
from transforms.formats.containers import is_panic, is_workbook, unpacked
from transforms.formats.workbooks import workbook_grids

SIGNATURES = {  # of the dictionary's kinds
    b"%PDF": "pdf",
    b"PK\x03\x04": "zip",
    b"\xd0\xcf\x11\xe0": "old_office",
    b"PAR1": "parquet",
    b"\x89PNG": "picture",
    b"\xff\xd8\xff": "picture",
    b"<!DO": "web_page",
    b"<htm": "web_page",
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
# What files of a format are called.
ENDINGS = {
    "csv": "csv",
    "tsv": "csv",
    "txt": "csv",
    "json": "json",
    "ndjson": "ndjson",
    "jsonl": "ndjson",
    "parquet": "parquet",
    "xlsx": "xlsx",
    "xls": "xls",
    "ods": "ods",
}
SEPARATORS = (";", ",", "\t", "|")
BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def grids(content: bytes, source: Source) -> list[list[Grid]]:
    """The grids of an extract, unpacked: of each one the ways to cut it, of which a CSV whose separator is to be
    detected has several. Raises Refusal where the extract is not what the source declares.
    """
    if not content:
        raise Refusal("empty_file")
    found: list[list[Grid]] = []
    for name, part in unpacked(content):
        try:
            _refuse_other_format(part, source)
        except Refusal as refusal:
            raise (refusal.within(name) if name else refusal) from None
        found += [[way._replace(sheet=_inside(name, way.sheet)) for way in ways] for ways in _grids_of(part, source)]
    return found


def _inside(name: str | None, sheet: str | None) -> str | None:
    return "/".join(each for each in (name, sheet) if each) or None


def _refuse_other_format(content: bytes, source: Source) -> None:
    expected, name = EXPECTED[source.format], source.format.upper()
    if not content.strip():
        raise Refusal("empty_file")
    if content.startswith(b"\xd0\xcf\x11\xe0") and "EncryptedPackage".encode("utf-16-le") in content:
        raise Refusal("locked_file")
    for signature, kind in SIGNATURES.items():
        if content.startswith(signature) and signature not in expected:
            raise Refusal("other_format", kind=kind, format=name)
    if expected and not content.startswith(expected):
        if source.format == "parquet":
            raise Refusal("not_parquet")
        raise Refusal("not_a_workbook", format=name, ending=source.format)
    if source.format in ("xlsx", "ods") and not is_workbook(content):
        raise Refusal("not_a_workbook", format=name, ending=source.format)


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
            reason = str(error)
    if text is None:
        if declared == "detect":
            raise Refusal("not_text", reason=reason)
        raise Refusal("other_encoding", encoding=declared, reason=reason)
    if "\0" in text:
        raise Refusal("nul_bytes")
    return text.removeprefix("\ufeff")


def csv_grids(content: bytes, source: Source) -> list[Grid]:
    """The grid of a CSV in the declared dialect; where the separator is to be detected, one for each that cuts it.

    Raises Refusal where it cannot be read for certain.
    """
    text = decoded(content, source)
    if text.count("\r") > text.count("\r\n"):
        raise Refusal("lone_carriage_returns")
    if text.count("\n") > MOST_LINES:
        raise Refusal("too_many_lines", most=MOST_LINES)
    if source.separator != "detect":
        assert source.separator
        return [_csv_grid(text, source.separator)]
    ways: list[Grid] = []
    reason = Refusal("no_separator")
    for separator in SEPARATORS:
        if separator not in text:
            continue
        try:
            ways.append(_csv_grid(text, separator, sum(len(cells) for way in ways for _, cells in way.rows)))
        except Refusal as refusal:
            if refusal.rule == "too_many_cells":  # in whatever way it is cut
                raise
            reason = refusal
    if not ways:
        raise reason
    return ways


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
                raise Refusal("too_many_columns", row=number, columns=len(cells), most=MOST_COLUMNS)
            width = max(width, len(cells))
            if any(len(cell) > LONGEST_CELL for cell in cells):
                # The reader's own limit is the process's, and libraries lift it.
                raise Refusal("long_cell_in_line", line=reader.line_num, most=LONGEST_CELL)
            if any("\n" in cell and _looks_like_rows(cell, separator, width) for cell in cells):
                raise Refusal("swallowed_rows", row=number)
            cells_read += len(cells)
            if cells_read > LARGEST_GRID:
                raise Refusal("too_many_cells", most=LARGEST_GRID)
            if cells:
                rows.append((number, cells))
    except csv.Error as error:
        raise Refusal("malformed_csv", line=reader.line_num, reason=str(error)) from error
    return Grid(None, rows, {})


def _looks_like_rows(cell: str, separator: str, width: int) -> bool:
    """Whether a quoted cell has swallowed rows: a line in it has as many separators as a row."""
    return any(line.count(separator) >= max(width - 1, 1) for line in cell.splitlines()[1:])


def _json_records(text: str) -> list[dict[str, Any]]:
    """The objects of a JSON list, or of the one list in a JSON object."""
    data = _json(text)
    if isinstance(data, dict):
        lists = [value for value in data.values() if isinstance(value, list)]
        if len(lists) != 1:
            raise Refusal("json_without_list")
        data = lists[0]
    if not isinstance(data, list) or not all(isinstance(each, dict) for each in data):
        raise Refusal("json_without_objects")
    return data


def _line_records(text: str) -> list[dict[str, Any]]:
    records = []
    if text.count("\n") > MOST_LINES:
        raise Refusal("too_many_lines", most=MOST_LINES)
    for number, line in enumerate(_lines(text), start=1):
        if line.strip():
            record = _json(line, number)
            if not isinstance(record, dict):
                raise Refusal("json_line_without_object", line=number)
            records.append(record)
    return records


def _json(text: str, line: int | None = None) -> Any:
    """What a JSON text says: that of a whole file, or of a line in it. Raises Refusal."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        if len(names) >= MOST_COLUMNS:
            raise Refusal("too_many_keys", keys=len(names), most=MOST_COLUMNS)
        if len(set(names)) < len(names):
            twice = Counter(names).most_common(1)[0][0]
            raise Refusal("key_twice", key=twice)
        return dict(pairs)

    def whole(digits: str) -> object:
        return int(digits) if len(digits) < 300 else digits

    if text.count("{") + text.count("[") > MOST_OBJECTS or text.count(",") > 2 * LARGEST_GRID:
        raise Refusal("too_many_objects", objects=MOST_OBJECTS, cells=LARGEST_GRID)
    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=str, parse_int=whole)
    except RecursionError:
        raise (Refusal("json_line_too_deep", line=line) if line else Refusal("json_too_deep")) from None
    except ValueError as error:
        if line:
            raise Refusal("json_line_malformed", line=line, reason=str(error)) from error
        raise Refusal("json_malformed", reason=str(error)) from error


def _record_grid(records: Sequence[dict[str, Any]]) -> Grid:
    """Records as a grid: the first row has the keys, in the order in which they first appear."""
    keys = list(dict.fromkeys(key for record in records for key in record))
    if len(keys) * max(len(records), 1) > LARGEST_GRID or len(keys) > MOST_COLUMNS:
        raise Refusal("too_wide", cells=LARGEST_GRID, columns=MOST_COLUMNS)

    def cell(value: Any) -> object:
        if isinstance(value, (list, dict)):
            value = json.dumps(value, ensure_ascii=False)
        if isinstance(value, str):
            if len(value) > LONGEST_CELL:
                raise Refusal("long_cell", most=LONGEST_CELL)
            if not value.isascii():
                value.encode()
        return value

    body = ((number, [cell(record.get(key)) for key in keys]) for number, record in enumerate(records, start=1))
    try:
        return Grid(None, [(0, [cell(key) for key in keys]), *body], {})
    except UnicodeEncodeError as error:
        raise Refusal("json_malformed", reason=str(error)) from error


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
            raise Refusal("nested_column", column=nested[0])
        if file.metadata.num_row_groups > MOST_GROUPS:
            raise Refusal("too_many_row_groups", groups=file.metadata.num_row_groups, most=MOST_GROUPS)
        rows: list[tuple[object, ...]] = []
        letters = 0
        for batch in file.iter_batches(batch_size=PARQUET_BATCH):
            batch.validate(full=True)
            letters += sum(map(_letters, batch.columns))
            if letters > LARGEST_TEXT:
                raise Refusal("too_much_text", most=LARGEST_TEXT // 1_000_000)
            plain = [each.dictionary_decode() if pa.types.is_dictionary(each.type) else each for each in batch.columns]
            table = pl.from_arrow(pa.table(plain, names=[str(at) for at in range(len(names))]))
            assert isinstance(table, pl.DataFrame)
            rows += table.rows()
    except (pa.ArrowException, OSError, ValueError, OverflowError, pl.exceptions.PolarsError) as error:
        raise Refusal("parquet_broken", reason=str(error).splitlines()[0]) from error
    except BaseException as error:
        if not is_panic(error):
            raise
        raise Refusal("parquet_unknown_type") from error
    return Grid(None, [(0, names), *enumerate(rows, start=1)], {})


def _too_wide() -> Refusal:
    return Refusal("too_wide", cells=LARGEST_GRID, columns=MOST_COLUMNS)


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
        raise Refusal("long_cell", most=LONGEST_CELL)
    return pc.sum(lengths.take(column.indices) if is_dictionary else lengths).as_py() or 0
