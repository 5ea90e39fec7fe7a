"""The whole way from raw extracts to a published snapshot: six steps, each a plain function.

Steps pass each other small references; frames live inside a step, or as Parquet in the night's work folder. A snapshot
is a pure function of the extracts received by `as_of`, the methodology with its corrections, and the code.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import polars as pl

from flows.clock import end_of_day
from flows.night.intake import Extracts, inbox_files, take_in
from flows.night.reading import read_extracts
from flows.night.record import Journal, P, Step, T, record_failure, record_night, reuse_night, update_history
from flows.night.request import (
    Admitted,
    Judged,
    Night,
    Outcome,
    Request,
    Validated,
    extracts_as_of,
    inputs_digest,
    nothing_to_score,
)
from flows.readers.pool import readers_within
from schemas.methodology.library import Library
from schemas.sentence import spaced
from transforms.engine_tables.design import design_frames
from transforms.extracts.admission import Admission, quarantine_findings
from transforms.figures.indicators import resolved_figures
from transforms.regions.lookup import own_regions
from warehouse.engine.engine import score_tables
from warehouse.engine.gate import Release, begin_import, judge_release, write_page
from warehouse.extracts.raw_store import receipts, withdrawals
from warehouse.outputs.workbooks import write_workbooks
from warehouse.snapshots.publish import Draft, publish_snapshot, stable_tables
from warehouse.store.store import Store


def admit(request: Request) -> Admitted:
    """Fix the methodology of the night, take in the inbox, and list the extracts that count: received by the end of
    `as_of`, and not withdrawn by then.
    """
    methodology = Library(request.methodology, alone=request.alone).edition(request.edition)
    methodology.write(request.snapshot / "methodology")
    store = Store(request.store)
    files = inbox_files(request.inbox) if request.inbox else []
    intake = take_in(store, files, methodology.sources, request.now, request.now, limits=request.reading)
    every = receipts(store, methodology.sources)
    extracts = extracts_as_of(every, withdrawals(store), request.as_of)
    later = sum(each.received_at >= end_of_day(request.as_of) for each in every)
    digest = inputs_digest(methodology, extracts)
    return Admitted(extracts, intake.refused, len(intake.new), later, intake.parsed, digest)


def validate(request: Request, admitted: Admitted) -> Validated:
    """Read every extract as its source says, apply corrections, resolve regions, and separate good rows from bad."""
    extracts = Extracts(Store(request.store), readers_within(request.reading), request.now)
    reading = read_extracts(extracts, request.resolved(), admitted.extracts, request.work, admitted.refused)
    if not reading.figures:
        raise nothing_to_score(request, admitted, reading.refused)
    return Validated(request.work, reading.inputs, reading.refused, admitted.parsed + reading.parsed)


def prepare(request: Request, validated: Validated) -> Path:
    """Resolve contradictions by precedence, and lay out figures and methodology as the engine's tables."""
    methodology, prepared = request.resolved(), request.work / "prepared"
    read = {name: pl.read_parquet(validated.rows / f"{name}.parquet") for name in Admission._fields}
    own, differing = own_regions(read["own_regions"])
    frames = design_frames(methodology, methodology.regions(own))
    figures = resolved_figures(read["admitted"], read["refused_keys"], methodology, frames)
    frames |= {
        name: getattr(figures, name)
        for name in ("reported", "cap", "entered", "entered_rank", "responding", "observation")
    }
    kept_out = quarantine_findings(read["quarantined"])
    frames["finding"] = pl.concat([figures.findings, read["findings"], kept_out, differing]).unique()
    prepared.mkdir()
    for name, frame in frames.items():
        frame.write_parquet(prepared / f"{name}.parquet", compression="lz4")
    return prepared


def score(request: Request, validated: Validated, prepared: Path) -> Path:
    """Compute the index in DuckDB, level by level, check it, and write every published table."""
    begin_import()  # what judges comes next
    tables = request.snapshot / "tables"
    score_tables(prepared, request.resolved().edition, request.stamp(validated), request.limits, tables)
    return tables


def judge(request: Request, validated: Validated, tables: Path) -> Judged:
    """Judge the release by the edition's rules and by what was stable; anything critical holds it."""
    store, stamp = Store(request.store), request.stamp(validated)
    stable = stable_tables(store, request.edition)
    judgement = judge_release(Release(tables, stable, request.resolved(), validated.intake, stamp))
    write_page(request.work / "gate.html", judgement, [asdict(each) for each in validated.refused])
    return Judged(judgement.findings, judgement.held_because, not any(each.broken for each in judgement.verdicts))


def publish(
    request: Request, admitted: Admitted, validated: Validated, tables: Path, judged: Judged, journal: Journal
) -> Night:
    """Publish the snapshot unless it says nothing new, and write the record of the run."""
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
        is_synthetic=validated.is_synthetic,
        is_held=judged.is_held,
        is_within_limits=judged.is_within_limits,
        candidate_only=request.candidate_only,
    )
    snapshot_id, content_hash, is_new = publish_snapshot(Store(request.store), draft, request.signer)
    outcome: Outcome = "held" if judged.is_held else "published" if is_new else "unchanged"
    night = Night(outcome, snapshot_id, content_hash, spaced(judged.held_because))
    record_night(request, night, admitted, validated, judged, journal)
    return night


STEPS = tuple(step.__name__ for step in (admit, validate, prepare, score, judge, publish))


def call(function: Callable[P, T], /, *arguments: P.args, **named: P.kwargs) -> T:
    """The plain way to take a step."""
    return function(*arguments, **named)


def run_night(request: Request, step: Step = call) -> Night:
    """One night, from admission to publication. `step` takes each step; an orchestrator passes its own."""
    journal = Journal(request, step)
    try:
        admitted = journal.take(admit, request)
        night = reuse_night(request, admitted, journal)
        if night is None:
            validated = journal.take(validate, request, admitted)
            prepared = journal.take(prepare, request, validated)
            tables = journal.take(score, request, validated, prepared)
            judged = journal.take(judge, request, validated, tables)
            night = journal.take(publish, request, admitted, validated, tables, judged, journal)
    except BaseException as error:
        with suppress(Exception):  # where the storage fails, it also fails to take the record
            record_failure(request, error, journal)
            update_history(request, journal)
        raise
    update_history(request, journal)
    journal.report(f"{night.outcome}, snapshot {night.snapshot_id}. {night.reason or ''}".strip(". "), **night.facts)
    return night
