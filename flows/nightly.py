"""The nightly flow: the six steps of flows/pipeline.py as Prefect tasks, with states and an artifact for people."""

import os

# Before Prefect is imported, which starts its telemetry: nothing is told to anyone.
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Any

from prefect import State, flow, runtime, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed, Failed

from flows.artifact import night_markdown
from flows.clock import jakarta
from flows.night import requested
from flows.pipeline import admit, publish, run_night
from flows.report import night_result
from flows.settings import Settings
from schemas.strict import MethodologyError
from schemas.violations import DamagedStore, NothingToScore, Refusal, UsageError

# These say that the input, the request or the store is wrong: trying again changes nothing.
FINAL = (UsageError, NothingToScore, Refusal, MethodologyError, DamagedStore)
# Steps that talk to the storage, where a second try can help; the others would compute the same again.
RETRIED: tuple[Callable[..., Any], ...] = (admit, publish)
RETRY_DELAYS = [5.0, 30.0, 120.0]  # seconds


def last_completed_day(scheduled: datetime) -> date:
    """The day before the one, in Asia/Jakarta, on which a night was scheduled to start."""
    return scheduled.astimezone(jakarta()).date() - timedelta(days=1)


def _run_name() -> str:
    given = runtime.flow_run.parameters
    return f"{given['edition']} as of {given.get('as_of') or last_completed_day(_scheduled_start())}"


def _scheduled_start() -> datetime:
    start: datetime = runtime.flow_run.scheduled_start_time
    return start


def _may_help(_: object, __: object, state: State[Any]) -> bool:
    return not isinstance(state.result(raise_on_failure=False), FINAL)


def _as_task(function: Callable[..., Any], *arguments: Any) -> Any:
    @wraps(function)
    def step(*given: Any) -> Any:
        try:
            return function(*given)
        except FINAL as error:
            return Failed(message=str(error), data=error)

    delays = RETRY_DELAYS if function in RETRIED else []
    run = task(
        name=function.__name__,
        task_run_name=function.__name__,
        retries=len(delays),
        retry_delay_seconds=delays,
        retry_condition_fn=_may_help,
        cache_policy=NO_CACHE,
        persist_result=False,
    )(step)
    return run(*arguments, return_state=True).result()


@flow(name="nightly", flow_run_name=_run_name, validate_parameters=True)
def nightly(
    edition: str, as_of: date | None = None, store: str | None = None, inbox: str | None = None
) -> State[dict[str, Any]]:
    """One night of the index: admit, validate, prepare, score, judge, publish.

    Ends as Published, Unchanged (a snapshot that says the same is there already), Held (a candidate that the gate does
    not let become stable) or Failed, each with the reason in a sentence. The artifact of the run shows the result.

    Args:
        edition: The edition to compute, by its name; `kerawanan methodology list` shows them all.
        as_of: The night counts extracts received by the end of this day in Jakarta and nothing later. Left empty: the
            last day that was complete when the run was scheduled to start.
        store: Folder of the store, or s3://bucket/prefix. Left empty: KERAWANAN_STORE of the worker.
        inbox: Folder of files to take in first. They are received when the run starts, so that they count for that
            day, not for days before. Left empty: only what `kerawanan ingest` admitted.

    """
    try:
        settings = Settings(store=store) if store else Settings()
        day = as_of or last_completed_day(_scheduled_start())
        with requested(settings, edition, day, datetime.now(UTC), Path(inbox) if inbox else None) as request:
            night = run_night(request, step=_as_task)
            result = night_result(settings.store, request.run_id, night)
    except FINAL as error:
        return Failed(message=str(error))
    create_markdown_artifact(
        night_markdown(result), key=f"night-{edition}", description=f"{edition} as of {day}: {night.outcome}"
    )
    summary = {name: result[name] for name in ("outcome", "edition", "as_of", "snapshot_id", "content_hash", "run_id")}
    message = f"{edition} as of {day}: {night.outcome}, snapshot {night.snapshot_id}"
    if night.outcome == "held":
        return Failed(name="Held", message=f"{message}. {' '.join(result['critical'])}", data=summary)
    return Completed(name=night.outcome.capitalize(), message=message, data=summary)
