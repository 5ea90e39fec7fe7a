"""The content hash: what a table says, whatever the file it is written in, its row groups or its writer's version."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.contract.dictionary import Dictionary

BATCH = 262_144
FIXED_WIDTH = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "date": pa.int32(),
    "boolean": pa.uint8(),
}


def table_hash(file: Path, types: Mapping[str, str], only: Mapping[str, str] | None = None) -> str:
    """SHA-256 over the named columns of a Parquet file, in the order of its rows, hexadecimal.

    Of the rows those count that have the values of `only` (column: value).

    Every column is hashed for itself: its name and type, then for every row whether it is null, and the value (64-bit
    integers and floats, UTF-8 text with its length, little endian). So the hash does not depend on how the file is cut.
    """
    hashes = {name: (hashlib.sha256(), hashlib.sha256()) for name in types}
    with pq.ParquetFile(file) as parquet:
        rows = 0
        for whole in parquet.iter_batches(batch_size=BATCH, columns=list(types)):
            batch = whole
            for column, value in (only or {}).items():
                batch = batch.filter(pc.equal(batch.column(column), value))
            rows += batch.num_rows
            for name, kind in types.items():
                nulls, values = hashes[name]
                column = batch.column(name)
                nulls.update(_fixed(pc.cast(pc.is_null(column), pa.uint8())))
                for part in _bytes(column, kind):
                    values.update(part)
    total = hashlib.sha256(f"{rows}\n".encode())
    for name, kind in types.items():
        nulls, values = hashes[name]
        total.update(f"{name}:{kind}:{nulls.hexdigest()}:{values.hexdigest()}\n".encode())
    return total.hexdigest()


def _bytes(column: Any, kind: str) -> Iterable[memoryview]:
    if kind == "text":
        filled = pc.fill_null(pc.cast(column, pa.large_string()), "")
        yield _fixed(pc.cast(pc.binary_length(filled), pa.int64()))
        _, offsets, data = filled.buffers()
        bounds = memoryview(offsets).cast("q")
        if data is not None:
            yield memoryview(data)[bounds[filled.offset] : bounds[filled.offset + len(filled)]]
    else:
        target = FIXED_WIDTH[kind]
        plain = pc.cast(pc.cast(column, pa.date32()), target) if kind == "date" else pc.cast(column, target)
        filled = pc.fill_null(plain, pa.scalar(0, target))
        yield _fixed(pc.add(filled, 0.0) if kind == "number" else filled)  # minus zero says the same as zero


def _fixed(array: Any) -> memoryview:
    """The values of an array without nulls, as they lie in memory."""
    width = array.type.bit_width // 8
    return memoryview(array.buffers()[1])[array.offset * width : (array.offset + len(array)) * width]


def table_hashes(tables: Path, dictionary: Dictionary) -> dict[str, str]:
    """The content hash of every published table in a folder."""
    return {
        name: table_hash(
            tables / f"{name}.parquet",
            {column: dictionary.columns[column].type for column in dictionary.content_columns(name)},
            table.hashed_rows,
        )
        for name, table in sorted(dictionary.published.items())
    }


def content_hash(hashes: Mapping[str, str], dictionary: Dictionary) -> str:
    """One hash for a whole snapshot: over the tables that are content, not lineage."""
    lines = [f"{name}:{hashes[name]}\n" for name in sorted(hashes) if dictionary.tables[name].hashed]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
