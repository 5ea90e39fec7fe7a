"""Steps of a night, and nights of a backfill, as Prefect tasks: on threads, or on the workers of a Dask scheduler."""

import flows.server.silence  # noqa: F401 - first, or it is too late

# isort: split

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from functools import wraps
from typing import Any
from uuid import UUID

from httpx import HTTPError
from prefect import State, flow, task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.futures import as_completed
from prefect.states import Failed
from prefect.task_runners import TaskRunner

from flows.night.backfill import Ended, Planned, Runner, computed, must_answer
from flows.night.record import P, T
from flows.settings import Settings
from schemas.errors import KerawananError, StorageError, UsageError, sentence_of
from warehouse.store.store import Store

RETRY_DELAYS = [5.0, 30.0, 120.0]  # seconds
# A worker that is gone, or storage that fails for a while, costs a night of a backfill another try.
NIGHT_RETRIES, NIGHT_RETRY_DELAY = 2, 10.0  # seconds


def as_task(function: Callable[P, T], /, *arguments: P.args, **named: P.kwargs) -> T:
    """Call a function as a task of its name; again after a while where the storage failed, which may pass."""

    @wraps(function)
    def step(*given: P.args, **named: P.kwargs) -> T | State[T]:
        try:
            return function(*given, **named)
        except KerawananError as error:
            if error.retry_may_help:
                raise
            return Failed(message=str(error), data=error)

    run = task(
        name=function.__name__,
        task_run_name=function.__name__,
        retries=len(RETRY_DELAYS),
        retry_delay_seconds=RETRY_DELAYS,
        retry_condition_fn=_may_help,
        cache_policy=NO_CACHE,
        persist_result=False,
    )(step)
    state: State[Any] = run(*arguments, **named, return_state=True)
    result: T = state.result()
    return result


def _may_help(_: object, __: object, state: State[Any]) -> bool:
    error = state.result(raise_on_failure=False)
    return isinstance(error, KerawananError) and error.retry_may_help


@task(
    name="night",
    task_run_name="{edition} as of {day}",
    retries=NIGHT_RETRIES,
    retry_delay_seconds=NIGHT_RETRY_DELAY,
    cache_policy=NO_CACHE,
    persist_result=False,
)
def _night(settings_values: Mapping[str, Any], edition: str, day: date, now: datetime) -> Ended:
    """One night, on whatever machine: secrets and what is not passed come from its own environment."""
    settings = Settings(**settings_values)
    if not Store(settings.store).keys("raw"):
        raise UsageError(
            f"this machine finds no extract in {settings.store}: is it the store that all share?",
            f"komputer ini tidak menemukan ekstrak di {settings.store}: apakah itu penyimpanan bersama?",
        )
    ended = computed(settings, edition, day, now)
    if ended.outcome == "failed" and ended.is_worth_a_try:
        raise StorageError(ended.reason.en, ended.reason.id)
    return ended


@flow(name="nights", validate_parameters=False)
def _nights(settings_values: dict[str, Any], nights: list[tuple[str, date]], now: datetime) -> list[Ended]:
    """Nights as tasks, on whatever runs them; an artifact shows how far they are."""
    artifact = create_progress_artifact(0.0, description=f"{len(nights)} nights to compute")
    assert isinstance(artifact, UUID)
    waiting = {_night.submit(settings_values, edition, day, now): (edition, day) for edition, day in nights}
    ended: list[Ended] = []
    for done in as_completed(list(waiting)):
        result = done.result(raise_on_failure=False)
        edition, day = waiting[done]
        if isinstance(result, Ended):
            ended.append(result)
        else:
            ended.append(Ended(edition, day, "failed", None, sentence_of(result)))
        with suppress(HTTPError):
            update_progress_artifact(artifact, 100.0 * len(ended) / len(nights))
    return ended


def nights_on(runner: TaskRunner[Any]) -> Runner:
    """Nights as tasks, on what `runner` runs them: threads, or the workers of a Dask scheduler."""

    def run(settings: Settings, plan: Sequence[Planned], now: datetime) -> Iterator[Ended]:
        nights = [(each.edition, each.as_of) for each in plan]
        if nights:
            called = _nights.with_options(task_runner=runner, flow_run_name=f"{len(nights)} night(s)")
            yield from called(settings.without_secrets(), nights, now)

    return run


def dask(address: str) -> TaskRunner[Any]:
    """The workers of a Dask scheduler that runs already. Raises UsageError where it does not answer, or Dask is not
    installed.
    """
    must_answer(address)
    from prefect_dask.task_runners import DaskTaskRunner

    return DaskTaskRunner(address=address)
