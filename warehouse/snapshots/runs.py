"""Run records: what happened in every run, also in those that failed or were killed."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from schemas.errors import DamagedStore, UsageError, did_you_mean
from schemas.sentence import Sentence, spaced
from warehouse.snapshots.channels import is_over, worker
from warehouse.store.sealed import as_json
from warehouse.store.store import Store

RECORD = "run.json"
BEGUN = "begun.json"  # there while a run is under way

# A moment as it is written: in ISO 8601. Empty where nobody knows it.
Moment = Annotated[str, BeforeValidator(lambda at: at.isoformat() if isinstance(at, datetime) else at)]


class _Part(BaseModel):
    """A part of a record. What other versions wrote beside what is described here stays with it."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Input(_Part):
    """An extract that a run read: its receipt, and how many of its figures were admitted."""

    source: str
    file_name: str
    sha256: str
    size: int | None = None
    received_at: Moment | None = None
    admitted_at: Moment | None = None
    is_synthetic: bool = False
    rows: int
    rows_admitted: int


class RefusedFile(_Part):
    """An extract that a run refused whole, and why."""

    file_name: str
    reason: str
    reason_id: str | None = None

    @property
    def why(self) -> Sentence:
        """Why it was refused."""
        return Sentence(self.reason_id or self.reason, self.reason)


class NightOfRun(_Part):
    """A night of a run of many nights, and how it ended."""

    edition: str
    as_of: date
    outcome: str
    snapshot_id: str | None = None
    reason: str = ""
    reason_id: str | None = None
    is_worth_a_try: bool = False

    @property
    def why(self) -> Sentence:
        """Why it ended so."""
        return Sentence(self.reason_id or self.reason, self.reason)


class RunRecord(_Part):
    """The record of a run. Only what is known of it is set, and only that is written.

    A run of one night has an `edition`, one of many nights has `nights` instead. Of one that is under way, `step`,
    `host`, `process` and `begun_at` are known.
    """

    run_id: str
    started_at: Moment
    kind: str | None = None
    edition: str | None = None
    as_of: date | None = None
    outcome: str | None = None
    reason: str | None = None
    reason_id: str | None = None
    trace: str | None = None
    snapshot_id: str | None = None
    content_hash: str | None = None
    inputs: tuple[Input, ...] = ()
    refused: tuple[RefusedFile, ...] = ()
    new_extract_count: int | None = None
    later_extract_count: int | None = None
    parsed_extract_count: int | None = None
    findings: dict[str, int] = {}
    same_inputs_as_run: str | None = None
    nights: tuple[NightOfRun, ...] = ()
    seconds: dict[str, float] = {}
    step: str | None = None
    host: str | None = None
    process: int | None = None
    begun_at: Moment | None = None

    @property
    def why(self) -> Sentence | None:
        """Why it ended so, or why it was begun."""
        return None if self.reason is None else Sentence(self.reason_id or self.reason, self.reason)

    @property
    def rows(self) -> int:
        """How many figures the extracts of the run have."""
        return sum(each.rows for each in self.inputs)

    @property
    def rows_admitted(self) -> int:
        """How many of them were admitted."""
        return sum(each.rows_admitted for each in self.inputs)

    @property
    def editions(self) -> list[str]:
        """What the run was about, each once."""
        return [self.edition] if self.edition else sorted({each.edition for each in self.nights})

    def written(self) -> bytes:
        """The record as it is stored."""
        return as_json(self.model_dump(exclude_unset=True))


def run_folder(run_id: str) -> str:
    """Where the record of a run lies."""
    return f"runs/{run_id}"


def is_recorded(store: Store, run_id: str) -> bool:
    """Whether a run came to its end and was written down."""
    return store.exists(f"{run_folder(run_id)}/{RECORD}")


def read_run(store: Store, run_id: str) -> RunRecord:
    """The record of a run that came to its end. Raises FileNotFoundError and DamagedStore."""
    key = f"{run_folder(run_id)}/{RECORD}"
    return _read(key, store.read(key))


def found_something(store: Store, run_id: str) -> bool:
    """Whether a run came to a snapshot, and was written down with what it found."""
    try:
        return read_run(store, run_id).outcome not in (None, "failed")
    except (FileNotFoundError, DamagedStore):
        return False


def begin_run(store: Store, record: RunRecord, now: datetime) -> None:
    """Note that a run is under way, and what is known of it until it ends: should it be killed, that is its record."""
    note = record.model_copy(update={**worker(now), "begun_at": now.isoformat()})
    store.replace(f"{run_folder(record.run_id)}/{BEGUN}", note.written())


def write_run(store: Store, record: RunRecord, files: Mapping[str, Path]) -> None:
    """Write the record of a run that ended: `files` (those that exist) under their names, then run.json."""
    folder = run_folder(record.run_id)
    for name, path in files.items():
        if path.exists():
            store.replace(f"{folder}/{name}", path.read_bytes())
    store.replace(f"{folder}/{RECORD}", record.written())
    store.delete(f"{folder}/{BEGUN}")


def run_records(store: Store, now: datetime, *, but: Collection[str] = ()) -> list[RunRecord]:
    """The records of all runs, or of all but some, oldest first. Of one that has not come to its end the outcome is
    `running`, or `killed` where its process is gone. Raises DamagedStore.
    """
    keys = [key for key in store.keys("runs") if key.split("/")[1] not in but]
    ended = [key for key in keys if key.endswith(f"/{RECORD}")]
    folders = {key.rpartition("/")[0] for key in ended}
    begun = [key for key in keys if key.endswith(f"/{BEGUN}") and key.rpartition("/")[0] not in folders]
    found = [_read(key, content) for key, content in zip(ended, store.read_kept(ended), strict=True)]
    for key in begun:
        try:
            found.append(_without_end(key, store.read(key), now))
        except FileNotFoundError:  # it came to its end meanwhile
            continue
    return sorted(found, key=lambda record: (record.started_at, record.run_id))


def _read(key: str, content: bytes) -> RunRecord:
    try:
        return RunRecord.model_validate_json(content)
    except ValidationError:
        raise DamagedStore(
            f"{key}: the record of the run cannot be read.", f"{key}: catatan proses tidak dapat dibaca."
        ) from None


def _without_end(key: str, content: bytes, now: datetime) -> RunRecord:
    try:
        note = _read(key, content)
        if not is_over(note.model_dump(), now):
            return note.model_copy(update={"outcome": "running"})
        why = Sentence(
            f"prosesnya berhenti pada langkah {note.step}; tidak ada lagi yang tercatat.",
            f"its process ended during {note.step}; nothing more was written down.",
        )
    except (DamagedStore, TypeError, ValueError):  # a machine without power leaves such
        note = RunRecord(run_id=key.split("/")[1], started_at="", nights=())
        why = Sentence(
            "catatan saat proses ini dimulai tidak dapat dibaca.", "what was noted when it began cannot be read."
        )
    reason = spaced([note.why, why] if note.why else [why])
    assert reason
    return note.model_copy(update={"outcome": "killed", "reason": reason.en, "reason_id": reason.id})


def find_run(store: Store, run_id: str, now: datetime) -> RunRecord:
    """The record of a run by its id, or its unambiguous beginning. Raises UsageError."""
    every = run_records(store, now)
    hits = [record for record in every if record.run_id.startswith(run_id)]
    exact = [record for record in hits if record.run_id == run_id] or hits
    if len(exact) != 1:
        known = "more than one run begins so" if exact else "there is no such run"
        known_id = "lebih dari satu proses berawalan demikian" if exact else "tidak ada proses itu"
        names = [] if exact else [record.run_id for record in every]
        raise UsageError(
            f"run '{run_id}': {known}; 'kerawanan runs list' shows them.{did_you_mean(run_id, names)}",
            f"proses '{run_id}': {known_id}; 'kerawanan runs list' menampilkan semuanya."
            f"{did_you_mean(run_id, names, 'id')}",
        )
    return exact[0]
