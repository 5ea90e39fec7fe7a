"""Flows beside the night: many nights at once, what becomes stable, what is removed. Deployed in prefect.yaml."""

import os

# Before Prefect is imported, which starts its telemetry: nothing is told to anyone.
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from prefect import State, flow, task
from prefect.artifacts import create_markdown_artifact, create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.futures import as_completed
from prefect.states import Completed, Failed
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from flows.artifact import backfill_markdown
from flows.backfill import TOLD, Ended, Planned, Runner, backfill, computed, must_answer
from flows.settings import Settings
from schemas.violations import StorageError, UsageError
from warehouse.snapshots import promote, prune
from warehouse.store import Store

# A worker that is gone, or storage that fails for a while: a second try may help.
RETRIES, RETRY_DELAY = 2, 10.0  # seconds


@task(
    name="night",
    task_run_name="{edition} as of {day}",
    retries=RETRIES,
    retry_delay_seconds=RETRY_DELAY,
    cache_policy=NO_CACHE,
    persist_result=False,
)
def _night(told: Mapping[str, Any], edition: str, day: date, now: datetime) -> Ended:
    """One night, on whatever machine: secrets and what is not told come from its own environment."""
    settings = Settings(**told)
    if not Store(settings.store).keys("raw"):
        raise UsageError(f"this machine finds no extract in {settings.store}: is it the store that all share?")
    ended = computed(settings, edition, day, now)
    if ended.outcome == "failed" and ended.is_worth_a_try:
        raise StorageError(ended.reason)
    return ended


@flow(name="nights", validate_parameters=False)
def _nights(told: dict[str, Any], nights: list[tuple[str, date]], now: datetime) -> list[Ended]:
    """Nights as tasks, on whatever runs them; how far they are is seen in an artifact."""
    artifact = create_progress_artifact(0.0, description=f"{len(nights)} nights to compute")
    assert isinstance(artifact, UUID)
    waiting = {_night.submit(told, edition, day, now): (edition, day) for edition, day in nights}
    ended: list[Ended] = []
    for done in as_completed(list(waiting)):
        result = done.result(raise_on_failure=False)
        edition, day = waiting[done]
        is_ended = isinstance(result, Ended)
        ended.append(result if is_ended else Ended(edition, day, "failed", None, str(result)))
        update_progress_artifact(artifact, 100.0 * len(ended) / len(nights))
    return ended


def tasks(runner: TaskRunner[Any]) -> Runner:
    """Nights as tasks of Prefect: on threads, or on the workers of a Dask scheduler."""

    def run(settings: Settings, plan: Sequence[Planned], now: datetime) -> Iterator[Ended]:
        nights = [(each.edition, each.as_of) for each in plan]
        if nights:
            called = _nights.with_options(task_runner=runner, flow_run_name=f"{len(nights)} night(s)")
            yield from called(settings.told(), nights, now)

    return run


def dask(address: str) -> TaskRunner[Any]:
    """The workers of a Dask scheduler that runs already. Raises UsageError where it does not answer."""
    must_answer(address)
    from prefect_dask.task_runners import DaskTaskRunner

    return DaskTaskRunner(address=address)


@flow(name="backfill", flow_run_name="{editions}: {reason}", validate_parameters=True)
def backfill_nights(
    editions: list[str],
    reason: str,
    first: date | None = None,
    last: date | None = None,
    execute: bool = False,
    promote: bool = False,
    workers: int = 1,
    dask_scheduler: str | None = None,
    store: str | None = None,
) -> State[dict[str, Any]]:
    """Many nights at once: only nights whose extracts, methodology or code differ are computed.

    Interrupted or failed in part, the same run again goes on where it was. The artifact shows every night.

    Args:
        editions: The editions, by their names.
        reason: Why. It is written down with the run, and with what becomes stable.
        first: The first night. Left empty, with last: the nights that the editions say they recompute.
        last: The last night.
        execute: Off: only says what would be done.
        promote: On: the latest night of each edition becomes stable, all together, unless any night failed.
        workers: How many nights at a time, on this machine.
        dask_scheduler: Address of a Dask scheduler, such as tcp://10.0.0.5:8786, on whose workers nights are computed
            instead. They must reach the store.
        store: Folder of the store, or s3://bucket/prefix. Left empty: KERAWANAN_STORE of the worker.

    """
    settings = Settings(store=store) if store else Settings()
    try:
        runner = dask(dask_scheduler) if dask_scheduler else ThreadPoolTaskRunner(max_workers=workers)
        result = backfill(
            *(settings, editions, (first, last), reason, datetime.now(UTC)),
            tasks(runner) if execute else None,
            promote=promote,
        )
    except TOLD as error:
        return Failed(message=str(error))
    create_markdown_artifact(backfill_markdown(result), key="backfill", description=reason)
    failed = [each for each in result["nights"] if each["outcome"] == "failed"]
    summary = {name: result[name] for name in ("run_id", "promoted", "not_promoted")}
    if failed or result["not_promoted"]:
        return Failed(message=result["not_promoted"] or f"{len(failed)} night(s) failed", data=summary)
    return Completed(name="Done" if execute else "Planned", message=f"{len(result['plan'])} nights", data=summary)


@flow(name="promote", flow_run_name="{snapshot}", validate_parameters=True)
def promote_snapshot(snapshot: str, reason: str, store: str | None = None) -> State[dict[str, Any]]:
    """Make a candidate stable, or an earlier snapshot again.

    Args:
        snapshot: Its id, or an unambiguous beginning.
        reason: Why. It is written into the log.
        store: Folder of the store, or s3://bucket/prefix. Left empty: KERAWANAN_STORE of the worker.

    """
    settings = Settings(store=store) if store else Settings()
    try:
        result = promote(Store(settings.store), snapshot, datetime.now(UTC), reason, settings.signer())
    except TOLD as error:
        return Failed(message=str(error))
    return Completed(message=f"stable of {result['edition']} stands on {result['snapshot_id']}", data=result)


@flow(name="prune", validate_parameters=True)
def prune_store(keep_days: int = 90, execute: bool = False, store: str | None = None) -> State[dict[str, Any]]:
    """Remove candidates and records of runs that nothing refers to.

    Args:
        keep_days: Only what is older than so many days.
        execute: Off: only says what would be removed.
        store: Folder of the store, or s3://bucket/prefix. Left empty: KERAWANAN_STORE of the worker.

    """
    settings = Settings(store=store) if store else Settings()
    try:
        result = prune(Store(settings.store), datetime.now(UTC), keep_days, settings.signer(), execute=execute)
    except TOLD as error:
        return Failed(message=str(error))
    counted = f"{len(result['snapshots'])} snapshot(s) and {len(result['runs'])} run(s)"
    return Completed(message=f"{counted} {'removed' if execute else 'would be removed'}", data=result)
