"""The engine: prepared frames in, scores and published tables out. DuckDB runs the statements of sql/."""

import os
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from schemas.errors import UsageError
from schemas.methodology.edition import Edition
from warehouse.engine.database import EngineLimits, checks, open_database, statement, statements, used, write_parquet
from warehouse.engine.unit_nodes import UnitNodeTable

# The statements of sql/score/ by when they run.
BEFORE_LEVELS = ("node_value", "child_share")
CHILDREN = ("child_term", "child_sum")
LEVEL = ("node_bound", "node_scaling", "node_result")
NONCOMPUTED = ("overridden_score", "node_result_noncomputed")
AFTER_LEVELS = ("score_moments", "score_quantile", "category_bound", "score_rank")
RANGE = ("report", "observed_range", "score_range_leaf")
# Read where they lie: they are as large as the input, and few statements read them.
NOT_COPIED = ("reported", "observation")
# Tables of every unit and node, and whether they are of leaves only.
LEAVES_ONLY = {"node_score": False, "indicator_value": True}
COLUMNS = 'select "column", is_required from published_column where "table" = $table order by position'
# Statements with the parameters first_node and last_node, or first_unit and last_unit, run block by block, each of
# about so many scores, several at a time and each on one thread: what they join and sort fits the memory, however
# many regions there are, and no thread waits for another.
BLOCK = 1_500_000
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Stamp:
    """What is written into the rows of a run's tables beside the results."""

    as_of: date
    snapshot_id: str
    is_synthetic: bool


def stamp_values(edition: Edition, stamp: Stamp) -> dict[str, object]:
    """The parameters of statements that do not depend on the step."""
    return {
        "edition": edition.edition,
        "period": edition.period,
        "as_of": stamp.as_of.isoformat(),
        "run_id": stamp.snapshot_id,
        "snapshot_id": stamp.snapshot_id,
        "is_synthetic": stamp.is_synthetic,
        "half_unit": 0.5 * 10.0**-edition.rounding.decimals,
    }


def score_tables(prepared: Path, edition: Edition, stamp: Stamp, limits: EngineLimits, tables: Path) -> None:
    """Score the frames in `prepared` (one Parquet file per engine table) and write every published table to `tables`.

    Pure but for the two folders: the same frames, edition and stamp give the same rows, whatever the limits.
    """
    tables.mkdir(parents=True, exist_ok=True)
    try:
        with open_database(limits, [prepared, tables]) as connection:
            engine = Engine(connection, prepared, edition, stamp, limits)
            engine.score()
            engine.find_ranges()
            engine.check()
            engine.write(tables)
    except duckdb.OutOfMemoryException as error:
        raise UsageError(
            f"the engine needs more memory than {limits.memory_limit}; raise --memory-limit.",
            f"mesin hitung memerlukan memori lebih dari {limits.memory_limit}; naikkan --memory-limit.",
        ) from error


class Engine:
    """One scoring of the frames in a folder, in tables of a connection."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        prepared: Path,
        edition: Edition,
        stamp: Stamp,
        limits: EngineLimits,
    ) -> None:
        self.connection = connection
        self.edition = edition
        self.stamp = stamp
        self.threads = limits.threads or os.cpu_count() or 1
        self.values = stamp_values(edition, stamp)
        for path in sorted(prepared.glob("*.parquet")):
            table = connection.read_parquet(str(path))
            (table.create_view if path.stem in NOT_COPIED else table.create)(path.stem)
        units, nodes = (connection.table(name).count("*").fetchall()[0][0] for name in ("unit", "node"))
        self.values["node_count"] = nodes
        connection.execute(statement("sql", "schema"))
        self.unit_blocks = _blocks("unit", units, nodes)
        self.node_blocks = _blocks("node", nodes, units)

    def score(self) -> None:
        """Score level by level: every node's score, rank and category, and the bounds of categories."""
        for name in BEFORE_LEVELS:
            self._run(name)
        for level in range(1, self.edition.root.level + 1):
            for name in (*(CHILDREN if level > 1 else ()), *LEVEL, "noncomputed_score_entered", *NONCOMPUTED):
                self._run(name, node_level=level)
            for roll_up_key in range(1, len(self.edition.roll_ups) + 1):
                for name in ("noncomputed_score_rolled_up", *NONCOMPUTED):
                    self._run(name, node_level=level, roll_up_key=roll_up_key)
        for name in AFTER_LEVELS:
            self._run(name)

    def find_ranges(self) -> None:
        """Find how far the index of each region could lie from what it is, for what its office did not report."""
        for name in RANGE:
            self._run(name)
        for level in range(1, self.edition.root.level + 1):
            if level > 1:
                self._run("score_range_level", node_level=level)
            for roll_up_key in range(1, len(self.edition.roll_ups) + 1):
                self._run("score_range_roll_up", node_level=level, roll_up_key=roll_up_key)
        self._run("index_range")

    def check(self) -> None:
        """Add a finding for everything that is wrong with the result."""
        for name in statements("sql/score"):
            for text in checks("sql/score", name):
                self._execute(text, {})

    def write(self, tables: Path) -> None:
        """Write every published table."""
        labels = {"edition": self.edition.edition, "period": self.edition.period, **asdict(self.stamp)}
        for name in statements("sql/publish"):
            described = self.connection.execute(COLUMNS, {"table": name}).fetchall()
            columns = [column for column, _ in described]
            layout = UnitNodeTable(self.connection, labels, columns, LEAVES_ONLY[name]) if name in LEAVES_ONLY else None
            parts = self._parts(statement("sql/publish", name), layout)
            gap_free = [column for column, is_required in described if is_required]
            write_parquet(parts, tables / f"{name}.parquet", gap_free)

    def _run(self, name: str, **more: object) -> None:
        self._execute(statement("sql/score", name), more)

    def _execute(self, text: str, more: Values) -> None:
        runs = self._runs(text, more)
        if len(runs) == 1:
            self.connection.execute(text, used(text, runs[0]))
            return

        def run(values: Values) -> None:
            with self.connection.cursor() as cursor:
                cursor.execute(text, used(text, values))

        with self._workers() as pool:
            list(pool.map(run, runs))

    def _parts(self, text: str, layout: UnitNodeTable | None) -> Iterator[pa.Table]:
        """The result of a statement in the order of its blocks, a few computed ahead, laid out where `layout` says."""

        def part(values: Values) -> pa.Table:
            with self.connection.cursor() as cursor:
                rows = cursor.sql(text, params=used(text, values)).to_arrow_table()
            return layout.filled(rows, values["first_unit"], values["last_unit"]) if layout else rows

        with self._workers() as pool:
            ahead: deque[Future[pa.Table]] = deque()
            for values in self._runs(text, {}):
                ahead.append(pool.submit(part, values))
                if len(ahead) > self.threads:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()

    def _runs(self, text: str, more: Values) -> list[Values]:
        """The values to run a statement with: once, or once per block of units or of nodes if it names one."""
        blocks = self.unit_blocks if "$first_unit" in text else self.node_blocks if "$first_node" in text else [{}]
        return [{**self.values, **more, **block} for block in blocks]

    @contextmanager
    def _workers(self) -> Iterator[ThreadPoolExecutor]:
        """Threads for blocks, each of which then runs on one thread of DuckDB."""
        self.connection.execute("set threads = 1")
        try:
            with ThreadPoolExecutor(self.threads) as pool:
                yield pool
        finally:
            self.connection.execute(f"set threads = {self.threads}")


def _blocks(name: str, items: int, width: int) -> list[Values]:
    """First and last key of blocks of units, or of nodes, with `width` scores each."""
    size = max(BLOCK // max(width, 1), 1)
    return [
        {f"first_{name}": first, f"last_{name}": min(first + size - 1, items)}
        for first in range(1, max(items, 1) + 1, size)
    ]
