"""What differs between two snapshots of an edition: tables and rows, the index of each region, what they rest on."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from schemas.errors import UsageError
from schemas.methodology.library import Library
from warehouse.snapshots.channels import snapshot_folder
from warehouse.snapshots.snapshots import find_snapshot
from warehouse.store.store import Store

PLACE = ("region_level", "approach", "region_code")
MOVES = ("score", "rank", "category")
FACTS = ("snapshot_id", "as_of", "created", "content_hash", "methodology_digest", "code")
NOTHING: dict[str, Any] = {
    "columns_added": [],
    "columns_removed": [],
    "columns_retyped": [],
    "rows_added": 0,
    "rows_removed": 0,
    "rows_changed": 0,
}


def difference(store: Store, before: str, after: str) -> dict[str, Any]:
    """What became of a snapshot in another one; each may be named by the beginning of its id. Raises UsageError.

    `tables`: columns and rows added, removed and changed, by the key of the table, where there is any difference; what
    only tells the run apart does not count. `regions`: those whose score, rank or category changed, the largest changes
    first. `inputs`: extracts added and removed; `methodology`: files that were added, removed or changed.
    """
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
        {"table": name}
        | _table([folder / f"tables/{name}.parquet" for folder in folders], table.key, dictionary.run_columns)
        for name, table in sorted(dictionary.published.items())
    ]
    return {
        "edition": new["edition"],
        "before": {name: old[name] for name in FACTS},
        "after": {name: new[name] for name in FACTS},
        "is_same_content": old["content_hash"] == new["content_hash"],
        "tables": [each for each in tables if {**each, **NOTHING} != each],
        "regions": _moves([folder / "tables/index_score.parquet" for folder in folders]),
        "inputs": _inputs(old["inputs"], new["inputs"]),
        "methodology": _files(*(each["resources"] for each in manifests)),
    }


def _table(files: Sequence[Path], key: Sequence[str], run_columns: Sequence[str]) -> dict[str, Any]:
    """How a table differs in two files, of which one may not be there."""
    frames = [pl.read_parquet(file).drop(run_columns, strict=False) if file.is_file() else None for file in files]
    old, new = frames
    if old is None or new is None:
        there = old if new is None else new
        height = 0 if there is None else there.height
        return NOTHING | {"rows_added" if old is None else "rows_removed": height}
    shared = [each for each in new.columns if each in old.columns]
    by = [each for each in key if each in shared]
    values = [each for each in shared if each not in by and old.schema[each] == new.schema[each]]
    both = old.select(*by, *values).join(new.select(*by, *values), on=by, nulls_equal=True, suffix=" after")
    is_other = [pl.col(each).ne_missing(pl.col(f"{each} after")) for each in values]
    return {
        "columns_added": [each for each in new.columns if each not in old.columns],
        "columns_removed": [each for each in old.columns if each not in new.columns],
        "columns_retyped": [each for each in shared if old.schema[each] != new.schema[each]],
        "rows_added": new.join(old, on=by, how="anti", nulls_equal=True).height,
        "rows_removed": old.join(new, on=by, how="anti", nulls_equal=True).height,
        "rows_changed": both.filter(pl.any_horizontal(is_other)).height if is_other else 0,
    }


def _moves(files: Sequence[Path]) -> list[dict[str, Any]]:
    """The regions whose index is another, the largest change of the score first, then the largest of the rank."""
    old, new = (pl.read_parquet(file).select(*PLACE, "region_name", *MOVES) for file in files)
    moved = old.join(new, on=PLACE, how="full", coalesce=True, suffix="_after").rename(
        {name: f"{name}_before" for name in MOVES}
    )
    is_other = [pl.col(f"{name}_before").ne_missing(pl.col(f"{name}_after")) for name in MOVES]
    size = pl.col("change").abs().fill_null(float("inf"))
    return (
        moved.filter(pl.any_horizontal(is_other))
        .with_columns(
            pl.coalesce("region_name_after", "region_name").alias("region_name"),
            (pl.col("score_after") - pl.col("score_before")).alias("change"),
        )
        .sort(size, (pl.col("rank_after") - pl.col("rank_before")).abs(), *PLACE, descending=[True, True, *[False] * 3])
        .select(*PLACE, "region_name", "change", *(f"{name}_{side}" for name in MOVES for side in ("before", "after")))
        .to_dicts()
    )


def _inputs(old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    def named(inputs: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
        shown = ("source", "file_name", "sha256", "received_at")
        return {(each["source"], each["sha256"]): {name: each[name] for name in shown} for each in inputs}

    before, after = named(old), named(new)
    return {
        "added": [each for place, each in after.items() if place not in before],
        "removed": [each for place, each in before.items() if place not in after],
    }


def _files(old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> list[str]:
    before, after = ({each["path"]: each["hash"] for each in resources} for resources in (old, new))
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    return sorted(path.removeprefix("methodology/") for path in changed if path.startswith("methodology/"))
