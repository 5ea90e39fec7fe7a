"""The engine: prepared frames in, scores and published tables out. DuckDB runs the statements of sql/ and checks/."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb

from schemas.edition import Edition
from schemas.violations import UsageError

SQL = files("warehouse") / "sql"
CHECKS = files("warehouse") / "checks"

BEFORE_LEVELS = ("exact_scale", "node_bound", "node_result")
LEVEL = ("level_bound", "level_computed", "level_score")
AFTER_LEVELS = ("spread", "score_quantile", "category_bound", "node_standing", "node_contribution")


@dataclass(frozen=True)
class EngineLimits:
    """What the engine may use: neither changes a result.

    `memory_limit` is written as DuckDB does ("1GB"; None: its default of 80 % of the machine); `threads` None: all.
    """

    memory_limit: str | None = None
    threads: int | None = None


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
    with _connection(limits, prepared, tables) as connection:
        for path in sorted(prepared.glob("*.parquet")):
            connection.read_parquet(str(path)).create(path.stem)
        _score(connection, edition, values)
        for check in sorted(each.name for each in CHECKS.iterdir() if each.name.endswith(".sql")):
            _run(connection, (CHECKS / check).read_text(encoding="utf-8"), values)
        for name in sorted(each.name for each in (SQL / "publish").iterdir() if each.name.endswith(".sql")):
            statement = (SQL / "publish" / name).read_text(encoding="utf-8")
            # The conservative profile that every reader of the last ten years can read.
            connection.sql(statement, params=_used(statement, values)).write_parquet(
                str(tables / f"{name.removesuffix('.sql')}.parquet"), compression="snappy"
            )


def _score(connection: duckdb.DuckDBPyConnection, edition: Edition, values: Mapping[str, object]) -> None:
    """From leaves to the index, level by level; then what needs all scores."""

    def run(name: str, **more: object) -> None:
        _run(connection, (SQL / "score" / f"{name}.sql").read_text(encoding="utf-8"), {**values, **more})

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


def _used(statement: str, values: Mapping[str, object]) -> dict[str, Any]:
    """The values that a statement has a parameter for."""
    return {name: value for name, value in values.items() if f"${name}" in statement}


def _run(connection: duckdb.DuckDBPyConnection, statement: str, values: Mapping[str, object]) -> None:
    connection.execute(statement, _used(statement, values))


def _connection(limits: EngineLimits, prepared: Path, tables: Path) -> duckdb.DuckDBPyConnection:
    """A database in memory that reaches nothing but the folders of this run, and loads no extension."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "temp_directory": str(prepared / "spill"),
    }
    if limits.memory_limit:
        config["memory_limit"] = limits.memory_limit
    if limits.threads:
        config["threads"] = limits.threads
    connection = duckdb.connect(config=config)
    connection.execute("set allowed_directories = $folders", {"folders": [str(prepared), str(tables)]})
    connection.execute("set enable_external_access = false")
    return connection
