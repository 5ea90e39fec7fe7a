"""Snapshots that are about to be published, for tests of publishing: made once, published at will."""

import shutil
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from flows.night.request import Request
from flows.night.steps import admit, judge, prepare, score, validate
from tests.conftest import EDITION, EXTRACTS
from warehouse.extracts.raw_store import admit_extract, read_extract, receipts
from warehouse.outputs.workbooks import write_workbooks
from warehouse.snapshots.publish import Draft
from warehouse.store.store import Store

# The first night; every later one is some days after it.
FIRST = datetime(2026, 1, 31, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Drafts:
    """A draft of the bundled extracts, and where they were admitted."""

    draft: Draft
    raw: Store

    def with_raw(self, store: Store) -> Store:
        """The store with the extracts that drafts rest on."""
        for each in receipts(self.raw, sorted({one["source"] for one in self.draft.inputs})):
            facts = (each.file_name, each.source, each.is_synthetic, each.received_at, each.admitted_at)
            admit_extract(store, read_extract(self.raw, each), *facts)
        return store

    def other(self, folder: Path, snapshot_id: str, day: int, change: float, promotion: str = "person") -> Draft:
        """The same with other scores, of another night."""
        shutil.copytree(self.draft.folder, folder)
        file = folder / "tables/index_score.parquet"
        pl.read_parquet(file).with_columns(pl.col("score") + change).write_parquet(file)
        edition = self.draft.methodology.edition.model_copy(update={"promotion": promotion})
        return replace(
            self.draft,
            folder=folder,
            snapshot_id=snapshot_id,
            as_of=date(2026, 2, day),
            created=datetime(2026, 2, day, 1, tzinfo=UTC),
            methodology=replace(self.draft.methodology, edition=edition),
        )


def drafted(folder: Path) -> Drafts:
    """The steps of a night up to its publication."""
    work = folder / "work"
    work.mkdir()
    request = Request(EDITION, FIRST.date(), FIRST, "night-1", str(folder / "store"), work, inbox=EXTRACTS)
    admitted = admit(request)
    validated = validate(request, admitted)
    tables = score(request, validated, prepare(request, validated))
    judge(request, validated, tables)
    write_workbooks(tables, request.snapshot / "exports", request.now)
    draft = Draft(
        folder=request.snapshot,
        methodology=request.resolved(),
        snapshot_id=request.run_id,
        as_of=request.as_of,
        created=request.now,
        extracts=[(each.source, each.sha256) for each in admitted.extracts],
        inputs=validated.inputs,
        inputs_digest=admitted.inputs_digest,
        is_synthetic=False,
        is_held=False,
        is_within_limits=True,
    )
    return Drafts(draft, Store(request.store))
