"""What is written down of a night: how it ended, what it rests on, and what it found."""

import json
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from flows.night import Admitted, Judged, Night, Request, Validated
from warehouse.history import write_history
from warehouse.raw_store import read_extract
from warehouse.runs import run_folder, write_run
from warehouse.snapshots import recalled, stand_on
from warehouse.store import Store


class StepClock:
    """Takes steps, and measures how long each took."""

    def __init__(self, step: Callable[..., Any]) -> None:
        self._step = step
        self._begun: dict[str, float] = {}
        self._ended: dict[str, float] = {}

    def take(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Take a step."""
        self._begun[function.__name__] = time.monotonic()
        try:
            return self._step(function, *arguments)
        finally:
            self._ended[function.__name__] = time.monotonic()

    @property
    def seconds(self) -> dict[str, float]:
        """Per step how long it took, or has taken until now."""
        now = time.monotonic()
        return {name: round(self._ended.get(name, now) - begun, 3) for name, begun in self._begun.items()}


def record_night(
    request: Request, night: Night, admitted: Admitted, validated: Validated, judged: Judged, clock: StepClock
) -> None:
    """Write the record of a run that came to its end."""
    _write_record(
        request,
        _own_files(request),
        **asdict(night),
        inputs=validated.inputs,
        refused=[asdict(each) for each in validated.refused],
        new_extract_count=admitted.new,
        later_extract_count=admitted.later,
        parsed_extract_count=validated.parsed,
        findings=judged.findings,
        seconds=clock.seconds,
    )


def recall(request: Request, admitted: Admitted, clock: StepClock) -> Night | None:
    """Stand on what an earlier night made of the same extracts, methodology and code, if one did: it is the same."""
    store = Store(request.store)
    earlier = recalled(store, request.edition, request.as_of, admitted.inputs_digest, request.signer)
    if earlier is None:
        return None
    for extract in admitted.extracts:
        read_extract(store, extract)  # what the figures rest on must still be what was received
    record, entry = earlier
    found = replace(record, as_of=request.as_of, at=request.now, run_id=request.run_id)
    policy = "nobody" if request.candidate_only else request.resolved().edition.promotion
    stand_on(store, found, entry, policy, request.signer)
    night = Night("unchanged", entry["snapshot_id"], entry["content_hash"])
    _record_recall(request, night, admitted, record.run_id, clock)
    return night


def _record_recall(request: Request, night: Night, admitted: Admitted, earlier: str, clock: StepClock) -> None:
    store = Store(request.store)
    folder = run_folder(earlier)
    record = json.loads(store.read(f"{folder}/run.json"))
    facts = {name: record[name] for name in ("inputs", "refused", "findings")}
    facts["refused"] += [asdict(each) for each in admitted.refused if asdict(each) not in facts["refused"]]
    new = {
        "new_extract_count": admitted.new,
        "later_extract_count": admitted.later,
        "parsed_extract_count": admitted.parsed,
        "same_inputs_as_run": earlier,
        "seconds": clock.seconds,
    }
    files = {key.rpartition("/")[2]: store.local(key) for key in store.keys(folder) if not key.endswith("/run.json")}
    _write_record(request, files, **asdict(night), **facts, **new)


def record_failure(request: Request, error: Exception, clock: StepClock) -> None:
    """Write the record of a run that failed, with what it had found until then."""
    trace = "".join(traceback.format_exception(error))
    facts = {"reason": str(error) or type(error).__name__, "trace": trace, "seconds": clock.seconds}
    _write_record(request, _own_files(request), outcome="failed", **facts)


def _own_files(request: Request) -> dict[str, Path]:
    """What a run that computed has to show, by name."""
    return {
        "quarantine.parquet": request.work / "quarantine.parquet",
        "gate.html": request.work / "gate.html",
        "quality_result.parquet": request.snapshot / "tables/quality_result.parquet",
    }


def _write_record(request: Request, files: Mapping[str, Path], **facts: Any) -> None:
    record = {
        "run_id": request.run_id,
        "edition": request.edition,
        "as_of": request.as_of,
        "started_at": request.now,
        **facts,
    }
    store = Store(request.store)
    write_run(store, request.run_id, record, files)
    # Of many nights at once it is written at their end; of a night without a methodology nothing can be told.
    if not request.candidate_only and (request.snapshot / "methodology").exists():
        write_history(store, request.edition, request.resolved().dictionary)
