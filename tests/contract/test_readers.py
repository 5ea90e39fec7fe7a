"""Readers that have nothing to do with one another read the same from the published files, to the bit.

Compression, encodings and flat columns are looked at in `test_snapshot.py`; pages, statistics and the order of rows
here.
"""

import json
import math
import shutil
import struct
import subprocess
from collections.abc import Callable, Iterable
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from schemas.contract.dictionary import Dictionary
from schemas.lock import PARQUET_TYPES
from schemas.methodology.library import Library
from tests.conftest import EDITION, Nights, Published
from warehouse.engine import engine
from warehouse.engine.database import write_parquet

TABLES = sorted(Library().dictionary.published)
JAVASCRIPT = Path(__file__).parent / "readers"

# Per column, in order: its name, and of every row a text that says the kind of the value and all of it, or None.
Values = list[tuple[str, list[str | None]]]


def exact(value: Any) -> str | None:
    """A value as `readers/read.mjs` writes it. Numbers are equal when all their bits are."""
    match value:
        case None:
            return None
        case bool():
            return f"boolean:{str(value).lower()}"
        case int():
            return f"integer:{value}"
        case float():
            return f"number:{struct.pack('>d', value).hex()}"
        case str():
            return f"text:{value}"
    assert type(value) is date, type(value)
    return f"date:{value.isoformat()}"


def exactly(columns: Iterable[tuple[str, list[Any]]]) -> Values:
    return [(name, [exact(value) for value in values]) for name, values in columns]


def read_by_pyarrow(file: Path) -> Values:
    table = pq.read_table(file)
    return exactly((name, table[name].to_pylist()) for name in table.column_names)


def read_by_duckdb(file: Path) -> Values:
    result = duckdb.sql(f"from '{file}'")
    assert result is not None
    rows = result.fetchall()
    return exactly((name, [row[place] for row in rows]) for place, name in enumerate(result.columns))


def read_by_polars(file: Path) -> Values:
    return exactly((column.name, column.to_list()) for column in pl.read_parquet(file))


def read_by_pandas(file: Path) -> Values:
    """As everyone calls it: integers with gaps come as floats, and what is absent as NaN."""
    frame = pd.read_parquet(file)
    integers = {field.name for field in pq.read_schema(file) if pa.types.is_integer(field.type)}

    def meant(value: Any, name: str) -> Any:
        if pd.isna(value):
            return None
        return int(value) if name in integers and value == int(value) else value

    return exactly((name, [meant(value, name) for value in frame[name].tolist()]) for name in frame.columns)


def read_by_hyparquet(file: Path) -> Values:
    command = ["node", str(JAVASCRIPT / "read.mjs"), str(file)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8")
    return [(name, values) for name, values in json.loads(done.stdout)]


Reader = Callable[[Path], Values]
in_javascript = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed"),
    pytest.mark.skipif(
        not (JAVASCRIPT / "node_modules").is_dir(), reason=f"`npm ci` was not run in tests/contract/{JAVASCRIPT.name}"
    ),
]
READERS = [
    pytest.param(read_by_duckdb, id="duckdb"),
    pytest.param(read_by_polars, id="polars"),
    pytest.param(read_by_pandas, id="pandas"),
    pytest.param(read_by_hyparquet, id="hyparquet", marks=in_javascript),
]


@pytest.fixture(scope="module")
def stable(bundled: Published) -> Path:
    return bundled[0].store / f"stable/v1/{EDITION}"


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    return Library().dictionary


@pytest.fixture(scope="module")
def by_pyarrow(stable: Path) -> dict[str, Values]:
    return {name: read_by_pyarrow(stable / f"{name}.parquet") for name in TABLES}


@pytest.mark.parametrize("read", READERS)
def test_every_reader_reads_the_same(read: Reader, by_pyarrow: dict[str, Values], stable: Path) -> None:
    for name in TABLES:
        found = read(stable / f"{name}.parquet")
        assert [column for column, _ in found] == [column for column, _ in by_pyarrow[name]], name
        for (column, values), (_, wanted) in zip(found, by_pyarrow[name], strict=True):
            assert len(values) == len(wanted), (name, column)
            differing = [
                (row, *pair) for row, pair in enumerate(zip(values, wanted, strict=True)) if pair[0] != pair[1]
            ]
            assert not differing, (name, column, differing[:3])


def test_what_is_compared_is_of_every_kind_and_has_gaps(by_pyarrow: dict[str, Values], dictionary: Dictionary) -> None:
    kinds: set[str] = set()
    for name, columns in by_pyarrow.items():
        for column, values in columns:
            known = {value.partition(":")[0] for value in values if value is not None}
            assert known <= {dictionary.columns[column].type}, (name, column)
            kinds |= known | ({"null"} if None in values else set())
    assert kinds == {*PARQUET_TYPES, "null"}


# What the bundled figures have no case of: eight rows, in two row groups and an empty one.
EDGES: dict[str, list[Any]] = {
    "text": ["", "11.10", "null", "NaN", "caf\u00e9", "cafe\u0301", "\U0001f5f3", "a\0b\n\"'"],
    "text_with_gaps": [None, "", None, "x", None, None, "\u0e44\u0e17\u0e22", None],
    "integer": [0, -1, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63), 7],
    "integer_with_gaps": [None, 0, -(2**31), None, 2**31, 1, None, None],
    "narrow": [0, -1, 2**31 - 1, -(2**31), 1, 2, 3, 4],
    "narrow_with_gaps": [None, -1, None, None, 2**31 - 1, None, None, None],
    "number": [0.0, -0.0, 0.1 + 0.2, 5e-324, 1.7976931348623157e308, -100.0, 1 / 3, 88.95],
    "number_with_gaps": [None, 0.0, -0.0, None, math.inf, -math.inf, None, 3.0],
    "not_a_number": [math.nan, None] * 4,
    "boolean": [True, False, True, True, False, False, True, False],
    "boolean_with_gaps": [None, True, False, None, None, True, None, None],
    "date": [date(1899, 12, 31), date(1969, 12, 31), date(1970, 1, 1), date(2024, 2, 29), *[date(9999, 12, 31)] * 4],
    "date_with_gaps": [None, date(2026, 1, 31), None, None, date(1, 1, 1), None, None, None],
    "nothing": [None] * 8,
}
EDGE_TYPES = {"narrow": pa.int32(), "narrow_with_gaps": pa.int32(), "nothing": pa.string()}


@pytest.mark.parametrize("read", [pytest.param(read_by_pyarrow, id="pyarrow"), *READERS])
def test_every_reader_reads_what_was_written(read: Reader, tmp_path: Path) -> None:
    file = tmp_path / "edges.parquet"
    table = pa.table({name: pa.array(values, EDGE_TYPES.get(name)) for name, values in EDGES.items()})
    write_parquet([table.slice(0, 4), table.slice(0, 0), table.slice(4)], file)
    assert pq.read_metadata(file).num_row_groups == 3
    wanted = dict(exactly(EDGES.items()))
    if read is read_by_pandas:
        wanted["not_a_number"] = [None] * 8  # pandas alone cannot tell NaN from null
    assert read(file) == list(wanted.items())
    write_parquet([table.slice(0, 0)], file)
    assert read(file) == [(name, []) for name in EDGES]


@pytest.mark.parametrize("name", TABLES)
def test_statistics_agree_with_the_values(name: str, stable: Path) -> None:
    with pq.ParquetFile(stable / f"{name}.parquet") as file:
        for group in range(file.num_row_groups):
            rows = file.read_row_group(group)
            for place, column in enumerate(rows.column_names):
                told = file.metadata.row_group(group).column(place).statistics
                known = rows[column].drop_null().to_pylist()
                assert told.null_count == len(rows) - len(known), column
                assert told.has_min_max == bool(known), column
                if known:
                    # Numbers by value: Parquet has writers say -0.0 where the lowest is 0.0.
                    assert (told.min, told.max) == (min(known), max(known)), column


def test_numbers_are_finite(stable: Path) -> None:
    """NaN would be null to pandas, more than every number to DuckDB, and absent from the statistics."""
    for name in TABLES:
        table = pq.read_table(stable / f"{name}.parquet")
        for field in table.schema:
            if pa.types.is_floating(field.type):
                assert pc.all(pc.is_finite(table[field.name])).as_py() is not False, (name, field.name)


# The first field of a page's header is its type, a number in Thrift's compact protocol: 0 is a data page of version 1,
# 2 a page of a dictionary, 3 a data page of version 2.
FIRST_PAGE, DICTIONARY_PAGE, SECOND_PAGE = b"\x15\x00", b"\x15\x04", b"\x15\x06"


def first_pages(file: Path) -> tuple[set[bytes], set[bytes]]:
    """How the first page of dictionary and of data of every column begins."""
    content = file.read_bytes()
    metadata = pq.read_metadata(file)
    dictionaries, pages = set(), set()
    for group in range(metadata.num_row_groups):
        for place in range(metadata.num_columns):
            column = metadata.row_group(group).column(place)
            pages.add(content[column.data_page_offset :][:2])
            if column.has_dictionary_page:
                dictionaries.add(content[column.dictionary_page_offset :][:2])
    return dictionaries, pages


@pytest.mark.parametrize("name", TABLES)
def test_data_pages_are_of_version_1(name: str, stable: Path, tmp_path: Path) -> None:
    assert first_pages(stable / f"{name}.parquet") == ({DICTIONARY_PAGE}, {FIRST_PAGE})
    other = tmp_path / "other.parquet"
    pq.write_table(pq.read_table(stable / f"{name}.parquet"), other, data_page_version="2.0")
    assert first_pages(other) == ({DICTIONARY_PAGE}, {SECOND_PAGE})


# The rows of a region at its level, in one approach, lie together; `crosswalk` has no approach. Where a region has one
# row, there is nothing to lie together; `cut_off`, `edition`, `methodology_node` and `quality_result` have no region.
PLACE = ["region_level", "approach", "region_code"]
TOGETHER = {
    "node_score": PLACE,
    "indicator_value": PLACE,
    "not_reported": PLACE,
    "observation": PLACE,
    "crosswalk": ["region_level", "region_code"],
}
ONE_ROW = {"index_score": PLACE, "reporting": PLACE, "region": ["code"]}


def runs(rows: pl.DataFrame, place: list[str]) -> int:
    """How many times the place changes from row to row."""
    return int(rows.select(pl.struct(place).rle_id().max() + 1).item())


@pytest.mark.parametrize("name", TOGETHER)
def test_the_rows_of_a_region_lie_together(name: str, stable: Path) -> None:
    rows, place = pl.read_parquet(stable / f"{name}.parquet"), TOGETHER[name]
    places = rows.select(place).n_unique()
    assert places < len(rows)
    assert runs(rows, place) == places
    assert runs(rows[::2].vstack(rows[1::2]), place) > places


def test_it_is_known_of_every_table_how_its_regions_lie(dictionary: Dictionary, stable: Path) -> None:
    with_region = {name for name, table in dictionary.published.items() if "region_code" in table.columns}
    assert with_region == {*TOGETHER, *ONE_ROW} - {"region"}
    for name, place in ONE_ROW.items():
        rows = pl.read_parquet(stable / f"{name}.parquet")
        assert rows.select(place).n_unique() == len(rows), name


@pytest.mark.slow
def test_row_groups_follow_one_another_and_cut_no_region(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    """So the statistics tell a reader of one region which row group to read."""
    monkeypatch.setattr(engine, "BLOCK", 100)
    assert nights.run().outcome == "published"
    for name in ("node_score", "indicator_value", "not_reported"):
        with pq.ParquetFile(nights.store / f"stable/v1/{EDITION}/{name}.parquet") as file:
            groups = [file.read_row_group(group, PLACE).to_pylist() for group in range(file.num_row_groups)]
        places = [[tuple(row[column] for column in PLACE) for row in group] for group in groups if group]
        assert len(places) > 10, name
        assert all(max(one) < min(following) for one, following in pairwise(places)), name
