"""Answers about runs: which there were, and what happened in one."""

from dataclasses import dataclass, field
from datetime import datetime

from flows.night.steps import STEPS
from flows.results.answer import FLAT, Answer
from flows.results.night import REFUSED, refused_sentences
from flows.results.page import Cell, Page
from flows.results.words import head, value
from schemas.sentence import Sentence
from warehouse.snapshots.history import RunRow, run_row
from warehouse.snapshots.runs import RunRecord, run_records
from warehouse.store.store import Store


@dataclass(frozen=True)
class NightRun:
    """A run of one night: a row of the table `run`."""

    row: RunRow = field(metadata=FLAT)
    nights: int = 1

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The row in a list of runs."""
        row = self.row
        counts = (row.extracts, row.rows, row.rows_quarantined, row.seconds)
        return (row.run_id, row.edition, str(row.night) if row.night else None, value(row.outcome), *counts)


@dataclass(frozen=True)
class ManyNightsRun:
    """A run of many nights."""

    run_id: str
    started_at: str
    outcome: str | None
    reason: str | None
    edition: str
    nights: int

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The row in a list of runs."""
        nights = Sentence(f"{self.nights} malam", f"{self.nights} nights")
        return (self.run_id, self.edition, nights, value(self.outcome), None, None, None, None)


@dataclass(frozen=True)
class RunList(Answer):
    """Every run, or those of an edition, oldest first."""

    runs: tuple[NightRun | ManyNightsRun, ...]
    store: str

    def show(self, page: Page) -> None:
        """A row for each."""
        page.say(Sentence(f"{len(self.runs)} proses di {self.store}", f"{len(self.runs)} run(s) in {self.store}"))
        columns = ("run_id", "edition", "night", "outcome", "extracts", "rows", "rows_quarantined", "seconds")
        page.table(columns, [each.cells for each in self.runs])


def run_list(store: Store, now: datetime, edition: str | None = None) -> RunList:
    """Every run, or those of an edition."""
    records = [each for each in run_records(store, now) if edition is None or edition in each.editions]
    return RunList(tuple(map(_listed, records)), store.url)


def _listed(record: RunRecord) -> NightRun | ManyNightsRun:
    if record.edition:
        return NightRun(run_row(record, STEPS))
    editions = " ".join(record.editions)
    return ManyNightsRun(record.run_id, record.started_at, record.outcome, record.reason, editions, len(record.nights))


@dataclass(frozen=True)
class RunAnswer(Answer):
    """What happened in a run: its record, and its files."""

    record: RunRecord = field(metadata=FLAT)
    files: tuple[str, ...]

    def show(self, page: Page) -> None:
        """What is known of it, its nights or its steps, and where its files are."""
        record = self.record
        shown: dict[str, Cell] = {
            "run_id": record.run_id,
            "edition": record.edition,
            "as_of": str(record.as_of) if record.as_of else None,
            "started_at": record.started_at,
            "outcome": value(record.outcome) if record.outcome else None,
            "reason": record.why,
            "snapshot_id": record.snapshot_id,
            "same_inputs_as_run": record.same_inputs_as_run,
        }
        for name, fact in shown.items():
            if fact is not None:
                page.fact(head(name), str(fact) if not isinstance(fact, Sentence) else fact, width=18)
        if record.nights:
            rows = [
                (each.edition, str(each.as_of), value(each.outcome), each.snapshot_id, each.why)
                for each in record.nights
            ]
            page.table(("edition", "as_of", "outcome", "snapshot_id", "reason"), rows, Sentence("Malam", "Nights"))
        if record.seconds:
            page.table(("step", "seconds"), list(record.seconds.items()), Sentence("Langkah", "Steps"))
        page.list(REFUSED, refused_sentences(record.refused))
        page.list(Sentence("Berkas", "Files"), self.files)
