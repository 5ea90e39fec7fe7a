"""What differs between two snapshots of an edition: tables and rows, the index of each region, what they rest on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import polars as pl

from schemas.errors import UsageError
from schemas.methodology.library import Library
from warehouse.snapshots.channels import snapshot_folder
from warehouse.snapshots.snapshots import find_snapshot
from warehouse.store.store import Store

UNIT_COLUMNS = ("region_level", "approach", "region_code")
MOVES = ("score", "rank", "category")


@dataclass(frozen=True)
class Compared:
    """A snapshot that is compared."""

    snapshot_id: str
    as_of: str
    created: str
    content_hash: str
    methodology_digest: str
    code: Mapping[str, Any]


@dataclass(frozen=True)
class TableChange:
    """What differs in a table: columns, and rows by its key."""

    table: str
    columns_added: Sequence[str] = ()
    columns_removed: Sequence[str] = ()
    columns_retyped: Sequence[str] = ()
    rows_added: int = 0
    rows_removed: int = 0
    rows_changed: int = 0

    @property
    def is_any(self) -> bool:
        """Whether anything differs."""
        return self != TableChange(self.table)


@dataclass(frozen=True)
class Move:
    """A region whose index is another."""

    region_level: str
    approach: str
    region_code: str
    region_name: str
    change: float | None
    score_before: float | None
    score_after: float | None
    rank_before: int | None
    rank_after: int | None
    category_before: str | None
    category_after: str | None


@dataclass(frozen=True)
class ComparedExtract:
    """An extract that one of the snapshots rests on."""

    source: str
    file_name: str
    sha256: str
    received_at: str


@dataclass(frozen=True)
class ExtractChange:
    """Extracts that only one of the snapshots rests on."""

    added: Sequence[ComparedExtract]
    removed: Sequence[ComparedExtract]


@dataclass(frozen=True)
class Difference:
    """What became of a snapshot in another one.

    `tables`: columns and rows added, removed and changed, by the key of the table, where there is any difference; what
    only identifies the run does not count. `regions`: those whose score, rank or category changed, the largest changes
    first. `inputs`: extracts added and removed; `methodology`: files that were added, removed or changed.
    """

    edition: str
    before: Compared
    after: Compared
    is_same_content: bool
    tables: Sequence[TableChange]
    regions: Sequence[Move]
    inputs: ExtractChange
    methodology: Sequence[str]


def difference(store: Store, before: str, after: str) -> Difference:
    """What became of a snapshot in another one; each may be named by the beginning of its id. Raises UsageError."""
    manifests = [find_snapshot(store, each) for each in (before, after)]
    old, new = (each["kerawanan"] for each in manifests)
    if old["edition"] != new["edition"]:
        raise UsageError(
            f"{old['snapshot_id']} is of {old['edition']}, {new['snapshot_id']} of {new['edition']}; figures of "
            "different editions are not compared.",
            f"{old['snapshot_id']} dari {old['edition']}, {new['snapshot_id']} dari {new['edition']}; angka edisi yang "
            "berbeda tidak dibandingkan.",
        )
    folders = [store.local(snapshot_folder(each["edition"], each["snapshot_id"])) for each in (old, new)]
    dictionary = Library(folders[1] / "methodology", alone=True).dictionary
    tables = [
        _table(name, [folder / f"tables/{name}.parquet" for folder in folders], table.key, dictionary.run_columns)
        for name, table in sorted(dictionary.published.items())
    ]
    return Difference(
        edition=new["edition"],
        before=_compared(old),
        after=_compared(new),
        is_same_content=old["content_hash"] == new["content_hash"],
        tables=[each for each in tables if each.is_any],
        regions=_moves([folder / "tables/index_score.parquet" for folder in folders]),
        inputs=_inputs(old["inputs"], new["inputs"]),
        methodology=_files(*(each["resources"] for each in manifests)),
    )


def _compared(facts: Mapping[str, Any]) -> Compared:
    return Compared(**{each.name: facts[each.name] for each in fields(Compared)})


def _table(name: str, files: Sequence[Path], key: Sequence[str], run_columns: Sequence[str]) -> TableChange:
    """How a table differs in two files, of which one may not be there."""
    frames = [pl.read_parquet(file).drop(run_columns, strict=False) if file.is_file() else None for file in files]
    old, new = frames
    if old is None or new is None:
        there = old if new is None else new
        height = 0 if there is None else there.height
        return TableChange(name, rows_added=height) if old is None else TableChange(name, rows_removed=height)
    shared = [each for each in new.columns if each in old.columns]
    by = [each for each in key if each in shared]
    values = [each for each in shared if each not in by and old.schema[each] == new.schema[each]]
    both = old.select(*by, *values).join(new.select(*by, *values), on=by, nulls_equal=True, suffix=" after")
    is_other = [pl.col(each).ne_missing(pl.col(f"{each} after")) for each in values]
    return TableChange(
        name,
        columns_added=tuple(each for each in new.columns if each not in old.columns),
        columns_removed=tuple(each for each in old.columns if each not in new.columns),
        columns_retyped=tuple(each for each in shared if old.schema[each] != new.schema[each]),
        rows_added=new.join(old, on=by, how="anti", nulls_equal=True).height,
        rows_removed=old.join(new, on=by, how="anti", nulls_equal=True).height,
        rows_changed=both.filter(pl.any_horizontal(is_other)).height if is_other else 0,
    )


def _moves(files: Sequence[Path]) -> list[Move]:
    """The regions whose index is another, the largest change of the score first, then the largest of the rank."""
    old, new = (pl.read_parquet(file).select(*UNIT_COLUMNS, "region_name", *MOVES) for file in files)
    moved = old.join(new, on=UNIT_COLUMNS, how="full", coalesce=True, suffix="_after").rename(
        {name: f"{name}_before" for name in MOVES}
    )
    is_other = [pl.col(f"{name}_before").ne_missing(pl.col(f"{name}_after")) for name in MOVES]
    size = pl.col("change").abs().fill_null(float("inf"))
    rows = (
        moved.filter(pl.any_horizontal(is_other))
        .with_columns(
            pl.coalesce("region_name_after", "region_name").alias("region_name"),
            (pl.col("score_after") - pl.col("score_before")).alias("change"),
        )
        .sort(
            size,
            (pl.col("rank_after") - pl.col("rank_before")).abs(),
            *UNIT_COLUMNS,
            descending=[True, True, *[False] * 3],
        )
        .select(each.name for each in fields(Move))
    )
    return [Move(*row) for row in rows.rows()]


def _inputs(old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> ExtractChange:
    def extracts(inputs: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], ComparedExtract]:
        shown = [each.name for each in fields(ComparedExtract)]
        every = [ComparedExtract(*(each[name] for name in shown)) for each in inputs]
        return {(each.source, each.sha256): each for each in every}

    before, after = extracts(old), extracts(new)
    return ExtractChange(
        added=[each for unit, each in after.items() if unit not in before],
        removed=[each for unit, each in before.items() if unit not in after],
    )


def _files(old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> list[str]:
    before, after = ({each["path"]: each["hash"] for each in resources} for resources in (old, new))
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    return sorted(path.removeprefix("methodology/") for path in changed if path.startswith("methodology/"))
