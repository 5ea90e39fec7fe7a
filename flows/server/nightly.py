"""The nightly flow: the six steps of flows/night/steps.py as Prefect tasks, with states and an artifact for people."""

import flows.server.silence  # noqa: F401 - first, or it is too late

# isort: split

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from httpx import HTTPError
from prefect import State, flow, runtime
from prefect.artifacts import create_markdown_artifact
from prefect.states import Completed, Failed
from pydantic import Field

from flows.clock import jakarta
from flows.language import language_of
from flows.log import logged
from flows.night.backfill import Ended, catch_up
from flows.night.request import requested
from flows.night.steps import run_night
from flows.results.markdown import night_markdown
from flows.results.night import night_answer
from flows.server.refusals import refusal_as_state
from flows.server.tasks import as_task
from flows.settings import Settings, settings_from
from schemas.errors import DamagedStore, StorageError, sentence_of
from schemas.sentence import Sentence


def last_completed_day(scheduled: datetime) -> date:
    """The day before the one, in Asia/Jakarta, on which a night was scheduled to start."""
    return scheduled.astimezone(jakarta()).date() - timedelta(days=1)


def _run_name() -> str:
    given = runtime.flow_run.parameters
    return f"{given['edition']} as of {given.get('as_of') or last_completed_day(_scheduled_start())}"


def _scheduled_start() -> datetime:
    start: datetime = runtime.flow_run.scheduled_start_time
    return start


@flow(name="nightly", flow_run_name=_run_name, validate_parameters=True)
@refusal_as_state
def nightly(
    edition: str,
    as_of: date | None = None,
    store: str | None = None,
    inbox: str | None = None,
    missed_days: Annotated[int, Field(ge=0, le=366)] = 7,
) -> State[dict[str, Any]]:
    """One night of the index: admit, validate, prepare, score, judge, publish.

    Ends as Published, Unchanged (a snapshot that says the same is there already), Held (a candidate that the gate does
    not let become stable), Incomplete (well itself, but a missed night before it failed) or Failed, each with the
    reason in a sentence. The artifact of the run shows the result.

    Args:
        edition: The edition to compute, by its name; `kerawanan methodology list` shows them all.
        as_of: The night counts extracts received by the end of this day in Jakarta and nothing later. Left empty: the
            last day that was complete when the run was scheduled to start.
        store: Folder of the store, or s3://bucket/prefix. Left empty: KERAWANAN_STORE of the worker.
        inbox: Folder of files to take in first. They are received when the run starts, so that they count for that
            day, not for days before. Left empty: only what `kerawanan ingest` admitted.
        missed_days: Nights of so many days before that were missed (the machine was off, say) are computed first, as
            candidates. 0: none.

    """
    settings = settings_from({"store": store or None})
    day, now = as_of or last_completed_day(_scheduled_start()), datetime.now(UTC)
    folder = Path(inbox) if inbox else None
    with logged(settings.log), requested(settings, edition, day, now, folder) as request:
        missed = _missed(settings, edition, day, missed_days, now)
        night = run_night(request, step=as_task)
    message = f"{edition} as of {day}: {night.outcome}, snapshot {night.snapshot_id}"
    if missed:
        counted = Counter(each.outcome for each in missed)
        described = ", ".join(f"{count} {outcome}" for outcome, count in counted.items())
        message += f"; {len(missed)} missed night(s) computed before ({described})"
    try:
        answer = night_answer(settings.store, request.run_id, night)
        page = night_markdown(answer, language_of(settings.lang), missed)
        create_markdown_artifact(page, key=f"night-{edition}", description=message)
    except (HTTPError, StorageError) as error:  # what came of the night is in the store, whether or not it is shown
        message += f"; it could not be shown ({error})"
    if night.outcome == "held":
        return Failed(name="Held", message=f"{message}. {night.reason}")
    if any(each.outcome == "failed" for each in missed):
        return Failed(name="Incomplete", message=message)
    summary = night.facts | {"edition": edition, "as_of": str(day), "run_id": request.run_id}
    return Completed(name=night.outcome.capitalize(), message=message, data=summary)


def _missed(settings: Settings, edition: str, day: date, days: int, now: datetime) -> list[Ended]:
    """What was missed before; tonight's night does not depend on it."""
    try:
        return catch_up(settings, edition, day, days, now)
    except (StorageError, DamagedStore) as error:
        why, before = sentence_of(error), day - timedelta(days=1)
        nobody = Sentence(
            f"malam yang terlewat tidak dapat dicari: {why.id}", f"nobody could look for missed nights: {why.en}"
        )
        return [Ended(edition, before, "failed", None, nobody)]
