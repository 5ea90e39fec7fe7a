"""What is written down of a night: how it ended, what it rests on, and what it found."""

import logging
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import date
from functools import wraps
from pathlib import Path
from typing import NotRequired, ParamSpec, Protocol, TypedDict, TypeVar

from flows.night.intake import Refused
from flows.night.request import Admitted, Judged, Night, Request, Validated
from schemas.errors import StorageError, sentence_of
from warehouse.extracts.raw_store import read_extract
from warehouse.snapshots.history import write_history
from warehouse.snapshots.nights import night_of_same_inputs, stand_on
from warehouse.snapshots.runs import (
    Input,
    RefusedFile,
    RunRecord,
    begin_run,
    is_recorded,
    read_run,
    run_folder,
    write_run,
)
from warehouse.store.store import Store

LOG = logging.getLogger("kerawanan")
LOG.setLevel(logging.INFO)  # handlers are set elsewhere
LOG.addHandler(logging.NullHandler())

P = ParamSpec("P")
T = TypeVar("T")


class Step(Protocol):
    """A way to take a step: it calls the function, and returns what that returns."""

    def __call__(self, function: Callable[P, T], /, *arguments: P.args, **named: P.kwargs) -> T:
        """Take the step."""


class Journal:
    """Takes the steps of a night, and keeps account: which one is under way is noted in the store, how each ended in
    the log, and how long it took in the record of the run.
    """

    def __init__(self, request: Request, step: Step) -> None:
        self._request = request
        self._step = step
        self._begun: dict[str, float] = {}
        self._ended: dict[str, float] = {}

    def take(self, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Take a step."""
        name, request = function.__name__, self._request
        self._begun[name] = time.monotonic()

        @wraps(function)
        def noted(*given: P.args, **named: P.kwargs) -> T:
            begin_run(Store(request.store), RunRecord(**_known(request), step=name), request.now)
            return function(*given, **named)

        outcome = "failed"
        try:
            result = self._step(noted, *arguments, **named)
            outcome = "done"
        finally:
            self._ended[name] = time.monotonic()
            self.report(
                f"{name} {outcome} in {self.seconds[name]:.1f} s",
                step=name,
                outcome=outcome,
                seconds=self.seconds[name],
            )
        return result

    def report(self, what: str, **facts: object) -> None:
        """One line of the log, with the night it is about."""
        request = self._request
        night = {"run_id": request.run_id, "edition": request.edition, "as_of": str(request.as_of)}
        level = logging.ERROR if facts["outcome"] == "failed" else logging.INFO
        LOG.log(level, "%s as of %s: %s", request.edition, request.as_of, what, extra=night | facts)

    @property
    def seconds(self) -> dict[str, float]:
        """Per step how long it took, or has taken until now."""
        now = time.monotonic()
        return {name: round(self._ended.get(name, now) - begun, 3) for name, begun in self._begun.items()}


def record_night(
    request: Request, night: Night, admitted: Admitted, validated: Validated, judged: Judged, journal: Journal
) -> None:
    """Write the record of a run that came to its end."""
    record = RunRecord(
        **_known(request),
        **_ended(night),
        inputs=tuple(Input(**each) for each in validated.inputs),
        refused=_refused(validated.refused),
        new_extract_count=admitted.new,
        later_extract_count=admitted.later,
        parsed_extract_count=validated.parsed,
        findings=judged.findings,
        seconds=journal.seconds,
    )
    write_run(Store(request.store), record, _own_files(request))


def reuse_night(request: Request, admitted: Admitted, journal: Journal) -> Night | None:
    """Reuse the snapshot of an earlier night of the same extracts, methodology and code; None where there is none."""
    store = Store(request.store)
    earlier = night_of_same_inputs(store, request.edition, request.as_of, admitted.inputs_digest, request.signer)
    if earlier is None:
        return None
    for extract in admitted.extracts:
        read_extract(store, extract)  # what the figures rest on must still be what was received
    record, entry = earlier
    found = replace(record, as_of=request.as_of, at=request.now, run_id=request.run_id)
    policy = "nobody" if request.candidate_only else request.resolved().edition.promotion
    stand_on(store, found, entry, policy, request.signer)
    night = Night("unchanged", entry["snapshot_id"], entry["content_hash"])
    _record_reuse(request, journal, night, admitted, record.run_id)
    return night


def _record_reuse(request: Request, journal: Journal, night: Night, admitted: Admitted, earlier: str) -> None:
    store, folder = Store(request.store), run_folder(earlier)
    before = read_run(store, earlier)
    record = RunRecord(
        **_known(request),
        **_ended(night),
        inputs=before.inputs,
        refused=tuple(dict.fromkeys((*before.refused, *_refused(admitted.refused)))),
        findings=before.findings,
        new_extract_count=admitted.new,
        later_extract_count=admitted.later,
        parsed_extract_count=admitted.parsed,
        same_inputs_as_run=earlier,
        seconds=journal.seconds,
    )
    files = {name: store.local(f"{folder}/{name}") for name in _own_files(request) if store.exists(f"{folder}/{name}")}
    write_run(store, record, files)


def record_failure(request: Request, error: BaseException, journal: Journal) -> None:
    """Write the record of a run that failed or was stopped, with what it had found until then."""
    trace = "".join(traceback.format_exception(error))
    reason = sentence_of(error)
    journal.report(f"failed: {reason}", outcome="failed", reason=str(reason))
    if is_recorded(Store(request.store), request.run_id):
        return  # it came to its end, and that is what is true of it
    record = RunRecord(
        **_known(request),
        outcome="failed",
        reason=reason.en,
        reason_id=reason.id,
        trace=trace,
        seconds=journal.seconds,
    )
    write_run(Store(request.store), record, _own_files(request))


def _own_files(request: Request) -> dict[str, Path]:
    """What a run that computed has to show, by name."""
    return {
        "quarantine.parquet": request.work / "quarantine.parquet",
        "gate.html": request.work / "gate.html",
        "quality_result.parquet": request.snapshot / "tables/quality_result.parquet",
    }


class _Known(TypedDict):
    run_id: str
    edition: str
    as_of: date
    started_at: str


def _known(request: Request) -> _Known:
    """What is known of a run from its beginning."""
    started_at = request.now.isoformat()
    return {"run_id": request.run_id, "edition": request.edition, "as_of": request.as_of, "started_at": started_at}


class _Ended(TypedDict):
    outcome: str
    snapshot_id: str
    content_hash: str
    reason: str | None
    reason_id: NotRequired[str]


def _ended(night: Night) -> _Ended:
    """What is known of a run that came to a snapshot."""
    found = _Ended(outcome=night.outcome, snapshot_id=night.snapshot_id, content_hash=night.content_hash, reason=None)
    return {**found, "reason": night.reason.en, "reason_id": night.reason.id} if night.reason else found


def _refused(files: Sequence[Refused]) -> tuple[RefusedFile, ...]:
    return tuple(RefusedFile(**asdict(each)) for each in files)


def update_history(request: Request, journal: Journal) -> None:
    """Bring the tables over all nights up to date; where the storage fails, the next night catches up."""
    # Of many nights at once it is done at their end; of a night without a methodology nothing is known.
    if request.candidate_only or not (request.snapshot / "methodology").exists():
        return
    try:
        write_history(Store(request.store), request.edition, request.resolved().dictionary, request.now)
    except StorageError as error:
        journal.report(f"the tables over all nights are as they were: {error}", outcome="failed", step="history")
