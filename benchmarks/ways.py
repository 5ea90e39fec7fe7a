"""Ways to score the benchmark's data: plain ones as an analyst would write them, and our engine. Run as a process each:

    python -m benchmarks.ways WAY FOLDER [MEMORY_LIMIT]

prints as JSON seconds (without imports and without looking at the result), peak memory, and what the result adds up to.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

from benchmarks.data import EDITION, tree

Sums = dict[str, Any]
Work = Callable[[], Callable[[], Sums]]  # does the work; what it gives then adds up the result
SQL = files("benchmarks") / "sql"


def scan(folder: Path, _: str | None) -> Work:
    """Read every value once."""
    import duckdb

    def run() -> Callable[[], Sums]:
        found = duckdb.execute(f"select count(value), sum(value) from '{folder}/plain.parquet'").fetchall()
        return lambda: {"values": found[0][0]}

    return run


def duckdb_text(folder: Path, _: str | None) -> Work:
    """One DuckDB statement with text keys."""
    import duckdb

    connection = duckdb.connect(config={"temp_directory": str(folder / "spill")})
    connection.execute(f"create view plain as from '{folder}/plain.parquet'")
    connection.execute("create table tree (node varchar, parent varchar, weight double, direction integer)")
    rows = [(code, parent, float(weight), direction) for code, parent, _, weight, direction in tree()]
    connection.executemany("insert into tree values (?, ?, ?, ?)", rows)

    def run() -> Callable[[], Sums]:
        connection.execute((SQL / "text_keys.sql").read_text())
        return lambda: _sums(connection, "scored", "unit", "node = 'index'", "not (node like 'i__')")

    return run


def polars_text(folder: Path, _: str | None) -> Work:
    """The same in Polars, text keys."""
    import polars as pl

    rows = [(code, parent, float(weight), direction) for code, parent, _, weight, direction in tree()]
    nodes = pl.LazyFrame(rows, schema=["node", "parent", "weight", "direction"], orient="row")

    def run() -> Callable[[], Sums]:
        value = pl.col("value") * pl.col("direction")
        lowest, highest = value.min().over("node"), value.max().over("node")
        leaf = (
            pl.scan_parquet(folder / "plain.parquet")
            .rename({"indicator": "node"})
            .join(nodes, on="node")
            .select("unit", "node", ((value - lowest) / (highest - lowest) * 100).alias("score"))
            .collect()
        )
        levels = [leaf]
        for _ in range(3):
            above = (
                levels[-1]
                .lazy()
                .join(nodes, on="node")
                .group_by("unit", node=pl.col("parent"))
                .agg((pl.col("score") * pl.col("weight")).sum() / pl.col("weight").sum())
                .collect()
            )
            levels.append(above.select("unit", "node", "score"))
        score = pl.col("score")
        mean, sd = score.mean().over("node"), score.std().over("node")
        category = pl.when(score < mean - sd).then(pl.lit("low")).when(score > mean + sd).then(pl.lit("high"))
        scored = pl.concat(levels).with_columns(
            score.rank("min", descending=True).over("node").alias("rank"),
            category.otherwise(pl.lit("medium")).alias("category"),
        )
        index, above = scored.filter(node="index"), scored.filter(~pl.col("node").str.contains(r"^i\d"))
        return lambda: {
            "index_sum": index["score"].sum(),
            "first_unit": index.filter(rank=1)["unit"][0],
            "rank_sum": int(above["rank"].cast(pl.Int64).sum()),
            "categories": dict(sorted(above["category"].value_counts().rows())),
        }

    return run


def pandas_text(folder: Path, _: str | None) -> Work:
    """The same in pandas, text keys."""
    import numpy as np
    import pandas as pd

    rows = [(code, parent, float(weight), direction) for code, parent, _, weight, direction in tree()]
    nodes = pd.DataFrame(rows, columns=["node", "parent", "weight", "direction"])

    def run() -> Callable[[], Sums]:
        leaf = pd.read_parquet(folder / "plain.parquet").rename(columns={"indicator": "node"}).merge(nodes, on="node")
        leaf["value"] *= leaf["direction"]
        grouped = leaf.groupby("node")["value"]
        lowest, highest = grouped.transform("min"), grouped.transform("max")
        leaf["score"] = (leaf["value"] - lowest) / (highest - lowest) * 100
        levels = [leaf[["unit", "node", "score"]]]
        for _ in range(3):
            part = levels[-1].merge(nodes, on="node")
            part["term"] = part["score"] * part["weight"]
            above = part.groupby(["unit", "parent"], as_index=False)[["term", "weight"]].sum()
            above["score"] = above["term"] / above["weight"]
            levels.append(above.rename(columns={"parent": "node"})[["unit", "node", "score"]])
        scored = pd.concat(levels)
        grouped = scored.groupby("node")["score"]
        mean, sd = grouped.transform("mean"), grouped.transform("std")
        scored["rank"] = grouped.rank("min", ascending=False).astype("int64")
        scored["category"] = np.select(
            [scored["score"] < mean - sd, scored["score"] > mean + sd], ["low", "high"], "medium"
        )
        index, above = scored[scored["node"] == "index"], scored[~scored["node"].str.match(r"i\d")]
        return lambda: {
            "index_sum": index["score"].sum(),
            "first_unit": index.loc[index["rank"] == 1, "unit"].iloc[0],
            "rank_sum": int(above["rank"].sum()),
            "categories": {str(name): int(n) for name, n in sorted(above["category"].value_counts().items())},
        }

    return run


def engine_scores(folder: Path, memory_limit: str | None) -> Work:
    """Our engine from the prepared Parquet to every node's score, rank and category."""
    from schemas.methodology.library import Library
    from warehouse.engine.database import EngineLimits, open_database
    from warehouse.engine.engine import Engine, Stamp

    edition = Library(folder / "methodology").edition(EDITION).edition
    limits, stamp = EngineLimits(memory_limit), Stamp(date(2026, 1, 1), "benchmark", is_synthetic=True)
    connection = open_database(limits, [folder / "prepared"])

    def run() -> Callable[[], Sums]:
        Engine(connection, folder / "prepared", edition, stamp, limits).score()

        def check() -> Sums:
            connection.execute((SQL / "engine_result.sql").read_text())
            return _sums(connection, "scored", "unit_key", "is_index", "not is_leaf")

        return check

    return run


def engine_tables(folder: Path, memory_limit: str | None) -> Work:
    """Our engine to every published table."""
    import duckdb

    from schemas.methodology.library import Library
    from warehouse.engine.database import EngineLimits
    from warehouse.engine.engine import Stamp, score_tables

    edition = Library(folder / "methodology").edition(EDITION).edition
    tables = folder / "tables"

    def run() -> Callable[[], Sums]:
        stamp = Stamp(date(2026, 1, 1), "benchmark", is_synthetic=True)
        score_tables(folder / "prepared", edition, stamp, EngineLimits(memory_limit), tables)

        def check() -> Sums:
            connection = duckdb.connect()
            connection.execute(f"create view published as from '{tables}/node_score.parquet' where score is not null")
            return _sums(connection, "published", "region_code", "parent_node_code is null", "node_level > 1")

        return check

    return run


def _sums(connection: Any, table: str, unit: str, is_index: str, is_above: str) -> Sums:
    """What a result adds up to: enough to see that two results are the same.

    Ranks and categories are compared above the leaves only: leaves have gaps, and our engine gives ranks and derived
    categories only where all regions are known.
    """
    total, first = connection.execute(
        f"select sum(score), min({unit}) filter (rank = 1) from {table} where {is_index}"
    ).fetchall()[0]
    ranks = connection.execute(f"select sum(rank)::bigint from {table} where {is_above}").fetchall()[0][0]
    counted = connection.execute(
        f"select category, count(*) from {table} where {is_above} group by all order by all"
    ).fetchall()
    first = first if isinstance(first, str) else f"U{first:07}"
    return {"index_sum": total, "first_unit": first, "rank_sum": ranks, "categories": dict(counted)}


WAYS = {each.__name__: each for each in (scan, duckdb_text, polars_text, pandas_text, engine_scores, engine_tables)}

if __name__ == "__main__":
    name, where, *limit = sys.argv[1:]
    work = WAYS[name](Path(where), limit[0] if limit else None)
    start = time.perf_counter()
    check = work()
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps({"seconds": seconds, "peak_mb": peak, **check()}))
