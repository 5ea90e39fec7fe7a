"""The engine: prepared frames in, scores and published tables out. DuckDB runs the statements of sql/ and checks/."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from schemas.edition import Edition
from schemas.violations import UsageError
from warehouse.database import EngineLimits, contained, statement, statements, used

BEFORE_LEVELS = ("exact_scale", "node_bound", "node_result")
LEVEL = ("level_bound", "level_computed", "level_score")
AFTER_LEVELS = ("spread", "score_quantile", "category_bound", "node_standing", "node_contribution")


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
    half_unit = 0.5 * 10.0**-edition.rounding.decimals
    values: dict[str, object] = {
        "edition": edition.edition,
        "period": edition.period,
        "as_of": stamp.as_of.isoformat(),
        "run_id": stamp.snapshot_id,
        "snapshot_id": stamp.snapshot_id,
        "is_synthetic": stamp.is_synthetic,
        "scale_lowest": float(edition.scale.lowest),
        "scale_highest": float(edition.scale.highest),
        "half_unit": half_unit,
    }
    tables.mkdir(parents=True, exist_ok=True)
    try:
        _write_tables(prepared, edition, values, limits, tables)
    except duckdb.OutOfMemoryException as error:
        raise UsageError(f"the engine needs more memory than {limits.memory_limit}; raise --memory-limit.") from error


def _write_tables(
    prepared: Path, edition: Edition, values: Mapping[str, object], limits: EngineLimits, tables: Path
) -> None:
    with contained(limits, [prepared, tables]) as connection:
        for path in sorted(prepared.glob("*.parquet")):
            connection.read_parquet(str(path)).create(path.stem)
        _score(connection, edition, values)
        for check in statements("checks"):
            _run(connection, statement("checks", check), values)
        for name in statements("sql/publish"):
            text = statement("sql/publish", name)
            # The conservative profile that every reader of the last ten years can read.
            connection.sql(text, params=used(text, values)).write_parquet(
                str(tables / f"{name}.parquet"), compression="snappy"
            )


def _score(connection: duckdb.DuckDBPyConnection, edition: Edition, values: Mapping[str, object]) -> None:
    """From leaves to the index, level by level; then what needs all scores."""

    def run(name: str, **more: object) -> None:
        _run(connection, statement("sql/score", name), {**values, **more})

    for name in BEFORE_LEVELS:
        run(name)
    for level in range(1, edition.root.level + 1):
        run("leaf" if level == 1 else "aggregate")
        for name in LEVEL:
            run(name, node_level=level)
        for roll_up_key in range(1, len(edition.roll_ups) + 1):
            run("level_roll_up", roll_up_key=roll_up_key)
            run("level_rolled")
        run("keep_level")
    for name in AFTER_LEVELS:
        run(name)


def _run(connection: duckdb.DuckDBPyConnection, text: str, values: Mapping[str, object]) -> None:
    connection.execute(text, used(text, values))
