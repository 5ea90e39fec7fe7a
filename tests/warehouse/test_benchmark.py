"""The benchmark's small size: the engine gives what other programs gave, in many blocks and little memory too."""

import csv
from pathlib import Path
from typing import Any

import pytest

from benchmarks.data import write_benchmark
from benchmarks.ways import WAYS
from schemas.methodology.library import Library
from tests.conftest import ROOT
from warehouse.engine import engine
from warehouse.snapshots.content import table_hashes

UNITS = 514


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("benchmark")
    write_benchmark(folder, UNITS)
    return folder


def result(way: str, folder: Path) -> Any:
    return WAYS[way](folder, "500MB")()()


@pytest.mark.parametrize("way", ["duckdb_text", "polars_text", "pandas_text", "engine_scores", "engine_tables"])
def test_every_way_gives_the_check_sum_of_other_programs(way: str, data: Path) -> None:
    with (ROOT / "benchmarks/check_sums.csv").open() as file:
        known = next(row for row in csv.DictReader(file) if row["units"] == str(UNITS))
    found = result(way, data)
    assert found["index_sum"] == pytest.approx(float(known["index_sum"]), rel=1e-12)
    assert found["first_unit"] == known["first_unit"]


@pytest.mark.slow
def test_blocks_change_nothing(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result("engine_tables", data)
    whole = {file.name: file.read_bytes() for file in (data / "tables").iterdir()}
    monkeypatch.setattr(engine, "BLOCK", 78 * 7)
    result("engine_tables", data)
    dictionary = Library().dictionary
    blocks = table_hashes(data / "tables", dictionary)
    for name, content in whole.items():
        (data / "tables" / name).write_bytes(content)
    assert table_hashes(data / "tables", dictionary) == blocks
