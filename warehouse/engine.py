"""The engine: prepared frames in, scores and published tables out. DuckDB runs the statements of sql/ and checks/."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from schemas.edition import Edition
from schemas.violations import UsageError
from warehouse.database import EngineLimits, contained, statement, statements, used, write_parquet

BEFORE_LEVELS = ("exact_scale", "origin", "category", "node_bound", "node_result", "node_sum")
LEAVES, AGGREGATES = ("leaf",), ("level_reach", "level_sum", "aggregate", "aggregated")
LEVEL = ("level_bound", "level_computed", "level_score", "level_factor", "level_entered")
ROLL_UP = ("level_roll_up", "level_rolled")
AFTER_LEVELS = ("spread", "score_quantile", "category_bound", "node_standing", "node_contribution")
# Read where they lie: they are as large as the input, and few statements read them.
LEFT_IN_PLACE = ("reported", "observation")
# Statements with the parameters first_unit and last_unit run block by block, each of about so many scores: what they
# join and sort then fits the memory, however many regions there are.
BLOCK = 1_500_000


@dataclass(frozen=True)
class Stamp:
    """What is written into the rows of a run's tables beside the results."""

    as_of: date
    snapshot_id: str
    is_synthetic: bool


def score_tables(prepared: Path, edition: Edition, stamp: Stamp, limits: EngineLimits, tables: Path) -> None:
    """Score the frames in `prepared` (one Parquet file per engine table) and write every published table to `tables`.

    Pure but for the two folders: the same frames, edition and stamp give the same rows, whatever the limits.
    """
    values: dict[str, object] = {
        "edition": edition.edition,
        "period": edition.period,
        "as_of": stamp.as_of.isoformat(),
        "run_id": stamp.snapshot_id,
        "snapshot_id": stamp.snapshot_id,
        "is_synthetic": stamp.is_synthetic,
        "half_unit": 0.5 * 10.0**-edition.rounding.decimals,
    }
    tables.mkdir(parents=True, exist_ok=True)
    try:
        with contained(limits, [prepared, tables]) as connection:
            blocks = score(connection, prepared, edition)
            for check in statements("checks"):
                _run(connection, statement("checks", check), values, blocks)
            for name in statements("sql/publish"):
                text = statement("sql/publish", name)
                parts = (connection.sql(text, params=used(text, each)) for each in _per_block(text, values, blocks))
                write_parquet(parts, tables / f"{name}.parquet")
    except duckdb.OutOfMemoryException as error:
        raise UsageError(f"the engine needs more memory than {limits.memory_limit}; raise --memory-limit.") from error


def score(connection: duckdb.DuckDBPyConnection, prepared: Path, edition: Edition) -> list[dict[str, object]]:
    """Score the frames in `prepared` into tables of the connection, level by level. Returns the blocks of units."""
    for path in sorted(prepared.glob("*.parquet")):
        table = connection.read_parquet(str(path))
        (table.create_view if path.stem in LEFT_IN_PLACE else table.create)(path.stem)
    blocks = _blocks(connection, len(edition.nodes))

    def run(name: str, **values: object) -> None:
        _run(connection, statement("sql/score", name), values, blocks)

    for name in BEFORE_LEVELS:
        run(name)
    for level in range(1, edition.root.level + 1):
        for name in (*(LEAVES if level == 1 else AGGREGATES), *LEVEL):
            run(name, node_level=level)
        for roll_up_key in range(1, len(edition.roll_ups) + 1):
            for name in ROLL_UP:
                run(name, node_level=level, roll_up_key=roll_up_key)
    for name in AFTER_LEVELS:
        run(name)
    return blocks


def _blocks(connection: duckdb.DuckDBPyConnection, nodes: int) -> list[dict[str, object]]:
    """The units in blocks: first and last key of each."""
    units = connection.table("unit").count("*").fetchall()[0][0]
    size = max(BLOCK // nodes, 1)
    return [
        {"first_unit": first, "last_unit": min(first + size - 1, units)} for first in range(1, max(units, 1) + 1, size)
    ]


def _per_block(
    text: str, values: Mapping[str, object], blocks: Sequence[Mapping[str, object]]
) -> list[Mapping[str, object]]:
    """The values to run a statement with: once, or once per block of units if it asks for one."""
    return [{**values, **block} for block in blocks] if "$first_unit" in text else [values]


def _run(
    connection: duckdb.DuckDBPyConnection,
    text: str,
    values: Mapping[str, object],
    blocks: Sequence[Mapping[str, object]],
) -> None:
    for each in _per_block(text, values, blocks):
        connection.execute(text, used(text, each))
