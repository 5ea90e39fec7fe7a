"""Flows beside the night: many nights at once, what becomes stable, what is removed. Deployed in prefect.yaml.

None is tried again by Prefect: the store itself repeats requests for a while, and a backfill tries its nights one by
one.
"""

import flows.server.silence  # noqa: F401 - first, or it is too late

# isort: split

from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Annotated, Any

from httpx import HTTPError
from prefect import State, flow, runtime
from prefect.artifacts import create_markdown_artifact
from prefect.states import Completed, Failed
from prefect.task_runners import ThreadPoolTaskRunner
from pydantic import Field

from flows.language import language_of
from flows.log import logged
from flows.night.backfill import backfill
from flows.results.answer import plain
from flows.results.backfill import backfill_sentence
from flows.results.markdown import backfill_markdown
from flows.server.refusals import refusal_as_state
from flows.server.tasks import dask, nights_on
from flows.settings import settings_from
from warehouse.snapshots.promotion import promote
from warehouse.snapshots.prune import prune
from warehouse.store.store import Store


def _backfill_name() -> str:
    given = runtime.flow_run.parameters
    return f"{', '.join(given['editions'])}: {given['reason']}"


@flow(
    name="backfill",
    flow_run_name=_backfill_name,
    validate_parameters=True,
)
@refusal_as_state
def backfill_nights(
    editions: list[str],
    reason: str,
    first: date | None = None,
    last: date | None = None,
    execute: bool = False,
    promote: bool = False,
    workers: Annotated[int, Field(ge=1, le=64)] = 1,
    dask_scheduler: str | None = None,
    store: str | None = None,
) -> State[dict[str, Any]]:
    """Many nights at once: only nights whose extracts, methodology or code differ are computed.

    Interrupted or failed in part, the same run again goes on where it was. The artifact shows every night. Ends as
    Planned, Done, Held (some night is, and its reason stands in the artifact) or Failed.

    Args:
        editions: The editions, by their names, as `kerawanan methodology list` shows them (Add item for each).
        reason: Why. It is written down with the run, and with what becomes stable.
        first: The first night (choose date). Left empty, with last: the nights that the editions say they recompute.
        last: The last night (choose date).
        execute: Off: only says what would be done.
        promote: On: the latest night of each edition becomes stable, all together, unless any night failed.
        workers: How many nights at a time, on this machine.
        dask_scheduler: Address of a Dask scheduler, such as tcp://10.0.0.5:8786, on whose workers nights are computed
            instead. They must reach the store.
        store: Folder of the store, or s3://bucket/prefix. Left empty: KERAWANAN_STORE of the worker.

    """
    settings = settings_from({"store": store or None})
    runner = dask(dask_scheduler) if dask_scheduler else ThreadPoolTaskRunner(max_workers=workers)
    with logged(settings.log):
        result = backfill(
            *(settings, editions, (first, last), reason, datetime.now(UTC)),
            nights_on(runner) if execute else None,
            promote=promote,
        )
    with suppress(HTTPError):  # what was done is in the store, whether or not it is shown
        page = backfill_markdown(result, language_of(settings.lang))
        create_markdown_artifact(page, key="backfill", description=reason)
    message = " ".join(str(each) for each in (backfill_sentence(result), result.not_promoted) if each)
    if result.outcomes["failed"] or result.not_promoted:
        return Failed(message=message)
    if result.outcomes["held"]:
        return Failed(name="Held", message=message)
    summary = {name: plain(getattr(result, name)) for name in ("run_id", "promoted", "not_promoted")}
    return Completed(name="Done" if execute else "Planned", message=message, data=summary)


@flow(name="promote", flow_run_name="{snapshot}", validate_parameters=True)
@refusal_as_state
def promote_snapshot(snapshot: str, reason: str, store: str | None = None) -> State[dict[str, Any]]:
    """Make a candidate stable, or an earlier snapshot again.

    Args:
        snapshot: Its id, or an unambiguous beginning.
        reason: Why. It is written into the log.
        store: Folder of the store, or s3://bucket/prefix. Left empty: KERAWANAN_STORE of the worker.

    """
    settings = settings_from({"store": store or None})
    result = promote(Store(settings.store), snapshot, datetime.now(UTC), reason, settings.signer())
    return Completed(message=f"stable of {result['edition']} stands on {result['snapshot_id']}", data=result)


@flow(name="prune", validate_parameters=True)
@refusal_as_state
def prune_store(
    keep_days: Annotated[int, Field(ge=1, le=36500)] = 90, execute: bool = False, store: str | None = None
) -> State[dict[str, Any]]:
    """Remove candidates and records of runs that nothing refers to.

    Args:
        keep_days: Only what is older than so many days.
        execute: Off: only says what would be removed.
        store: Folder of the store, or s3://bucket/prefix. Left empty: KERAWANAN_STORE of the worker.

    """
    settings = settings_from({"store": store or None})
    result = prune(Store(settings.store), datetime.now(UTC), keep_days, settings.signer(), execute=execute)
    counted = f"{len(result['snapshots'])} snapshot(s) and {len(result['runs'])} run(s)"
    return Completed(message=f"{counted} {'removed' if execute else 'would be removed'}", data=result)
