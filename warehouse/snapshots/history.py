"""Tables over all nights of an edition, beside the snapshots: what the index was each night, and how each run went.

They are derived: what is missing is added, and whoever deletes them gets them again with the next night.
"""

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Any

import polars as pl

from schemas.contract.dictionary import Dictionary
from schemas.contract.tables import polars_schema
from warehouse.engine.database import write_parquet
from warehouse.snapshots.channels import gone, named, snapshot_folder
from warehouse.snapshots.nights import night_records
from warehouse.snapshots.runs import RunRecord, run_records
from warehouse.store.store import Store
from warehouse.store.temporary import temporary_folder

STEP_SECONDS = "seconds_"  # how the columns of the table `run` begin that say how long a step took


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
    night_columns = ["night", "snapshot_id", "is_held", "is_withdrawn"]
    kept = before.join(nights, on=night_columns, how="semi")
    new = nights.join(kept, on=night_columns, how="anti")
    parts = [kept]
    for (snapshot_id,), of in new.group_by("snapshot_id"):
        file = store.local(f"{snapshot_folder(edition, str(snapshot_id))}/tables/index_score.parquet")
        index = pl.read_parquet(file).drop("as_of")
        parts.append(of.join(index, on="snapshot_id").select(before.columns).cast(before.schema))
    return pl.concat(parts)


def _runs(store: Store, edition: str, before: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """How every run went: rows that are there, also of runs whose records expired, and those of new ones; of one that
    is under way nothing is known yet.
    """
    new = run_records(store, now, but=set(before["run_id"]))
    steps = [name.removeprefix(STEP_SECONDS) for name in before.columns if name.startswith(STEP_SECONDS)]
    rows = [run_row(each, steps).as_dict() for each in new if each.edition == edition and each.outcome != "running"]
    return pl.concat([before, pl.DataFrame(rows, schema=before.schema, orient="row")])


@dataclass(frozen=True)
class RunRow:
    """How a run of one night went: a row of the table `run`."""

    edition: str
    run_id: str
    night: date | None
    started_at: str
    outcome: str | None
    reason: str | None
    snapshot_id: str | None
    extracts: int
    extracts_new: int | None
    extracts_refused: int
    rows: int
    rows_admitted: int
    rows_quarantined: int
    seconds_of_steps: Mapping[str, float | None] = field(metadata={"flat": True})  # by the column of each step
    seconds: float | None

    def as_dict(self) -> dict[str, Any]:
        """The columns of the row."""
        columns = {name: value for name, value in vars(self).items() if name != "seconds_of_steps"}
        return {**columns, **self.seconds_of_steps}


def run_row(record: RunRecord, steps: Iterable[str]) -> RunRow:
    """The record of a run of one night as a row of the table `run`."""
    return RunRow(
        edition=record.edition or "",
        run_id=record.run_id,
        night=record.as_of,
        started_at=record.started_at,
        outcome=record.outcome,
        reason=record.reason,
        snapshot_id=record.snapshot_id,
        extracts=len(record.inputs),
        extracts_new=record.new_extract_count,
        extracts_refused=len(record.refused),
        rows=record.rows,
        rows_admitted=record.rows_admitted,
        rows_quarantined=record.rows - record.rows_admitted,
        seconds_of_steps={f"{STEP_SECONDS}{step}": record.seconds.get(step) for step in steps},
        seconds=round(sum(record.seconds.values()), 3) if record.seconds else None,
    )
