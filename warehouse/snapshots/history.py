"""Tables over all nights of an edition, beside the snapshots: what the index was each night, and how each run went.

They are derived: what is missing is added, and whoever deletes them gets them again with the next night.
"""

import io
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

import polars as pl

from schemas.contract.dictionary import Dictionary
from schemas.contract.tables import polars_schema
from warehouse.engine.database import write_parquet
from warehouse.snapshots.channels import gone, named, snapshot_folder
from warehouse.snapshots.nights import night_records
from warehouse.snapshots.runs import run_records
from warehouse.store.store import Store
from warehouse.store.temporary import temporary_folder

STEPS = ("admit", "validate", "prepare", "score", "judge", "publish")


def history_folder(edition: str) -> str:
    """Where the tables over all nights of an edition lie; the number is the major version of their schema."""
    return f"history/v1/{edition}"


def write_history(store: Store, edition: str, dictionary: Dictionary, now: datetime) -> None:
    """Bring the tables over all nights of an edition up to date."""
    for table, rows in (("night_score", _night_scores), ("run", partial(_runs, now=now))):
        schema = pl.Schema(polars_schema(dictionary, table))
        key = f"{history_folder(edition)}/{table}.parquet"
        before = _before(store, key)
        if before is None or before.schema != schema:
            before = pl.DataFrame(schema=schema)
        frame = rows(store, edition, before).select(schema.names()).cast(schema).sort(dictionary.tables[table].key)
        with temporary_folder() as folder:
            file = folder / "table.parquet"
            write_parquet([frame.to_arrow(compat_level=pl.CompatLevel.oldest())], file)
            store.replace(key, file.read_bytes())


def _before(store: Store, key: str) -> pl.DataFrame | None:
    """The table as it was; None where there is none, or where it cannot be read, so that it is made anew."""
    try:
        return pl.read_parquet(io.BytesIO(store.read(key)))
    except (FileNotFoundError, pl.exceptions.PolarsError):
        return None


def _night_scores(store: Store, edition: str, before: pl.DataFrame) -> pl.DataFrame:
    """The index of every region in each night: rows that are there, and those of nights that stand on another snapshot
    since.
    """
    removed, withdrawn = gone(store, edition), named(store, edition, "withdrawn")
    nights = pl.DataFrame(
        [
            (day, record["snapshot_id"], record["is_held"], record["snapshot_id"] in withdrawn)
            for day, record in night_records(store, edition).items()
            if record["snapshot_id"] not in removed
        ],
        schema={"night": pl.String, "snapshot_id": pl.String, "is_held": pl.Boolean, "is_withdrawn": pl.Boolean},
        orient="row",
    ).with_columns(pl.col("night").str.to_date())
    place = ["night", "snapshot_id", "is_held", "is_withdrawn"]
    kept = before.join(nights, on=place, how="semi")
    new = nights.join(kept, on=place, how="anti")
    parts = [kept]
    for (snapshot_id,), of in new.group_by("snapshot_id"):
        file = store.local(f"{snapshot_folder(edition, str(snapshot_id))}/tables/index_score.parquet")
        index = pl.read_parquet(file).drop("as_of")
        parts.append(of.join(index, on="snapshot_id").select(before.columns).cast(before.schema))
    return pl.concat(parts)


def _runs(store: Store, edition: str, before: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """How every run went: rows that are there, also of runs whose records expired, and those of new ones; of one that
    is under way nothing can be said yet.
    """
    new = run_records(store, now, but=set(before["run_id"]))
    rows = [run_row(each) for each in new if each.get("edition") == edition and each["outcome"] != "running"]
    return pl.concat([before, pl.DataFrame(rows, schema=before.schema, orient="row")])


def run_row(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record of a run as a row of the table `run`."""
    inputs, seconds = record.get("inputs", ()), record.get("seconds", {})
    rows, admitted = (sum(each[name] for each in inputs) for name in ("rows", "rows_admitted"))
    return {
        "edition": record["edition"],
        "run_id": record["run_id"],
        "night": pl.Series([record["as_of"]]).str.to_date()[0],
        "started_at": record["started_at"],
        "outcome": record["outcome"],
        "reason": record.get("reason"),
        "snapshot_id": record.get("snapshot_id"),
        "extracts": len(inputs),
        "extracts_new": record.get("new_extract_count"),
        "extracts_refused": len(record.get("refused", ())),
        "rows": rows,
        "rows_admitted": admitted,
        "rows_quarantined": rows - admitted,
        **{f"seconds_{step}": seconds.get(step) for step in STEPS},
        "seconds": round(sum(seconds.values()), 3) if seconds else None,
    }
