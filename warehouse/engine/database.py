"""DuckDB as this package uses it: contained in the folders of a run, its statements in files."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import chain
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

HERE = files("warehouse.engine")
# The line before each check in the file of a statement.
CHECK = ";\n\n-- check "


@dataclass(frozen=True)
class EngineLimits:
    """What the engine may use: neither changes a result.

    `memory_limit` is written as DuckDB does ("1GB"; None: its default of 80 % of the machine); `threads` None: all.
    """

    memory_limit: str | None = None
    threads: int | None = None


def open_database(limits: EngineLimits, folders: Sequence[Path]) -> duckdb.DuckDBPyConnection:
    """A database in memory that reaches nothing but `folders`, spills into the first, and loads no extension."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "temp_directory": str(folders[0] / "spill"),
        # Rows have an order where tables are written (`order by`, or UnitNodeTable); to keep another costs memory.
        "preserve_insertion_order": False,
        # DuckDB 2.0 ends in an internal error where an operator keeps chunks whose dictionary changes ("dict-surviving
        # cache"), seen with 83,000 regions: operators keep none. Set here, it also holds for every cursor.
        "enable_caching_operators": False,
    }
    if limits.memory_limit:
        config["memory_limit"] = limits.memory_limit
    if limits.threads:
        config["threads"] = limits.threads
    connection = duckdb.connect(config=config)
    connection.execute("set allowed_directories = $folders", {"folders": [str(folder) for folder in folders]})
    connection.execute("set enable_external_access = false")
    # The files of a run do not change while it reads them, and cursors read them block by block.
    connection.execute("set global parquet_metadata_cache = true")
    return connection


def statement(folder: str, name: str) -> str:
    """The text of a statement in a folder of this package, such as `sql/score`, without the checks that follow it."""
    return _text(folder, name).partition(CHECK)[0]


def checks(folder: str, name: str) -> list[str]:
    """The checks of what a statement wrote; each adds a finding for everything that is wrong."""
    return [f"-- {text}" for text in _text(folder, name).split(CHECK)[1:]]


def _text(folder: str, name: str) -> str:
    return (HERE / folder / f"{name}.sql").read_text(encoding="utf-8")


def statements(folder: str) -> list[str]:
    """The names of all statements in a folder of this package, sorted."""
    return sorted(each.name.removesuffix(".sql") for each in (HERE / folder).iterdir() if each.name.endswith(".sql"))


def used(text: str, values: Mapping[str, object]) -> dict[str, Any]:
    """The values that a statement has a parameter for."""
    return {name: value for name, value in values.items() if f"${name}" in text}


def write_parquet(parts: Iterable[pa.Table], file: Path, gap_free: Collection[str] = ()) -> None:
    """Write tables of one shape one after the other to a file, in the profile that every reader of the last ten years
    can read: version 1 pages, plain and dictionary encodings, Snappy. Columns that are `gap_free` say so.

    Where columns come as dictionaries, the others are not made into some: that would be tried for every number.
    """
    tables = iter(parts)
    first = next(tables)
    schema = pa.schema([field.with_nullable(field.name not in gap_free) for field in first.schema])
    coded = [field.name for field in schema if pa.types.is_dictionary(field.type) or field.type == pa.int32()]
    has_dictionaries = any(pa.types.is_dictionary(field.type) for field in schema)
    profile = {"version": "1.0", "compression": "snappy", "store_schema": False}
    with pq.ParquetWriter(file, schema, use_dictionary=coded if has_dictionaries else True, **profile) as writer:
        for table in chain([first], tables):
            writer.write_table(table.cast(schema), row_group_size=max(len(table), 1))
