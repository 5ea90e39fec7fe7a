"""The same bits for any number of threads, at a size where threads share the work."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from schemas.methodology.library import Library, Methodology
from tests.warehouse.prepared import NOT_A_RATIO, write_prepared
from transforms.engine_tables.design import design_frames
from warehouse.engine.database import EngineLimits
from warehouse.engine.engine import Stamp, score_tables
from warehouse.snapshots.content import table_hash

UNITS = 130_000  # more than a row group of DuckDB


@pytest.mark.slow
def test_threads_and_memory_change_no_bit(tmp_path: Path) -> None:
    packaged = Library().edition("ikp-2024-published")
    level = packaged.edition.region_levels[1].model_copy(update={"regions": UNITS, "approaches": ("input",)})
    edition = packaged.edition.model_copy(update={"region_levels": (level,), "roll_ups": ()})
    codes = [f"{number:07}" for number in range(UNITS)]
    regions = pl.DataFrame({"code": codes}).select(
        "code",
        *(
            pl.lit(value).cast(dtype).alias(name)
            for name, dtype in packaged.reference.regions.schema.items()
            if name != "code"
            for value in [{"level": "province", "name": "x", "kind": "x"}.get(name)]
        ),
    )
    reference = replace(packaged.reference, regions=regions, changes=packaged.reference.changes.clear())
    methodology = Methodology(packaged.dictionary, packaged.sources, (), reference, edition, files={})
    frames = design_frames(methodology)
    leaves = frames["node"].filter(pl.col("children_expected") == 0).select("node_key")
    place = frames["unit"].select("unit_key").join(leaves, how="cross")
    # scores that no binary fraction holds exactly, so that the order of summing would show
    value = ((pl.col("unit_key") * 7919 + pl.col("node_key") * 104729) % 99991) / 999.91
    frames["entered"] = place.select("unit_key", "node_key", score=value)
    frames["reported"] = place.head(0).select(
        pl.lit(1).alias("population_key"),
        "unit_key",
        "node_key",
        raw_value=value,
        treated_value=value,
        status=pl.lit(""),
        extract_count=pl.lit(1),
        **NOT_A_RATIO,
        is_evidenced=pl.lit(False),
        is_score=pl.lit(True),
    )
    prepared = write_prepared(tmp_path, frames, packaged.dictionary)
    hashes = set()
    for threads, memory in ((1, "4GB"), (4, "500MB")):
        tables = tmp_path / f"tables{threads}"
        score_tables(prepared, edition, Stamp(date(2026, 1, 1), "s", False), EngineLimits(memory, threads), tables)
        types = {name: packaged.dictionary.columns[name].type for name in ("score", "rank", "category", "region_code")}
        bounds = {name: packaged.dictionary.columns[name].type for name in ("lower", "upper", "category", "n")}
        hashes.add((table_hash(tables / "index_score.parquet", types), table_hash(tables / "cut_off.parquet", bounds)))
        assert pl.read_parquet(tables / "index_score.parquet")["score"].null_count() == 0
    assert len(hashes) == 1


@pytest.mark.parametrize("rows", [1, 3, 5])
def test_the_content_hash_does_not_depend_on_how_a_file_is_cut(tmp_path: Path, rows: int) -> None:
    frame = pl.DataFrame({"a": ["x", None, "äé", ""], "b": [1.5, -0.0, None, 2.0], "c": [1, None, 3, 4]})
    types = {"a": "text", "b": "number", "c": "integer"}
    frame.write_parquet(tmp_path / "one.parquet")
    frame.write_parquet(tmp_path / "cut.parquet", row_group_size=rows, compression="zstd")
    assert table_hash(tmp_path / "one.parquet", types) == table_hash(tmp_path / "cut.parquet", types)
    for change in (
        pl.col("a").fill_null(""),
        pl.col("b").fill_null(0.0),
        pl.col("c") + 1,
        pl.col("a").str.replace("x", "y"),
    ):
        frame.with_columns(change).write_parquet(tmp_path / "other.parquet")
        assert table_hash(tmp_path / "other.parquet", types) != table_hash(tmp_path / "one.parquet", types)
