"""Backfills, promotion and pruning as flows: on a Prefect server, on threads and on the workers of a Dask scheduler."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.client.orchestration import get_client
from prefect.utilities.callables import parameter_schema

from flows.server import upkeep
from tests.conftest import EDITION, ROOT, Answer
from tests.flows.service import Dask
from tests.flows.test_backfill import SPAN, arrived, hashes
from warehouse.snapshots.channels import head
from warehouse.store.store import Store

Cli = Callable[..., Answer]
# Prefect's own client and server leave sockets and loops to the collector.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default"), pytest.mark.xdist_group("prefect")]


@pytest.fixture(scope="module", autouse=True)
def _server() -> Iterator[None]:
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=60):
        yield


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return arrived(tmp_path / "store")


def test_planned_done_promoted_and_pruned(store: Path) -> None:
    nights = {"first": date(2026, 1, 5), "last": date(2026, 1, 24), "store": str(store)}
    planned = upkeep.backfill_nights([EDITION], "a test", **nights, return_state=True)
    assert (planned.name, planned.type.value) == ("Planned", "COMPLETED")
    assert not (store / "nights").exists()
    done = upkeep.backfill_nights(
        [EDITION], "a test", **nights, execute=True, workers=2, promote=True, return_state=True
    )
    assert (done.name, done.type.value) == ("Done", "COMPLETED"), done.message
    assert len(hashes(store)) == 20
    opened = Store(str(store))
    stable = head(opened, EDITION, "stable")
    assert stable is not None
    assert (stable["as_of"], stable["reason"]) == ("2026-01-20", "a test")
    with get_client(sync_client=True) as client:
        tasks = {each.name for each in client.read_task_runs()}
        artifacts = client.read_artifacts()
    assert {f"{EDITION} as of 2026-01-{day}" for day in ("05", "10", "20")} <= tasks
    shown = [str(each.data) for each in artifacts if each.key == "backfill"]
    assert any("# Done: a test" in each and "published" in each for each in shown)
    assert any(each.type == "progress" and float(str(each.data)) == 100.0 for each in artifacts)
    earlier = json.loads((store / f"nights/{EDITION}/2026-01-12.json").read_text())["snapshot_id"]
    promoted = upkeep.promote_snapshot(earlier, "roll back", str(store), return_state=True)
    assert promoted.type.value == "COMPLETED"
    stable = head(Store(str(store)), EDITION, "stable")
    assert stable is not None
    assert stable["snapshot_id"] == earlier
    again = upkeep.promote_snapshot(earlier, "roll back", str(store), return_state=True)
    assert (again.type.value, "is stable already" in str(again.message)) == ("FAILED", True)
    pruned = upkeep.prune_store(1, store=str(store), return_state=True)
    assert "would be removed" in str(pruned.message)


def test_the_deployments_and_their_forms() -> None:
    deployments = {each["name"]: each for each in yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]}
    for name, function in (
        ("backfill", upkeep.backfill_nights),
        ("promote", upkeep.promote_snapshot),
        ("prune", upkeep.prune_store),
    ):
        assert deployments[name]["entrypoint"] == f"flows/server/upkeep.py:{function.fn.__name__}"
        assert deployments[name]["concurrency_limit"] == {"limit": 1, "collision_strategy": "ENQUEUE"}
        form = parameter_schema(function.fn).properties
        assert all(each.get("description") for each in form.values()), form


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[Dask]:
    cluster = Dask(tmp_path)
    yield cluster
    cluster.stop()


def test_on_the_workers_of_a_scheduler_one_of_which_dies(store: Path, dask: Dask, kerawanan: Cli) -> None:
    threads = arrived(store.parent / "threads")
    assert kerawanan("backfill", *SPAN, "--store", threads, "--execute").code == 3

    def kill() -> None:
        until = time.monotonic() + 120
        while not list(store.glob("snapshots/*/*/datapackage.json")) and time.monotonic() < until:
            time.sleep(0.1)
        dask.kill_one()

    killer = threading.Thread(target=kill)
    killer.start()
    answer = kerawanan(
        *("backfill", *SPAN, "--store", store, "--execute", "--format", "json"),
        *("--runner", "dask", "--dask-scheduler", dask.address),
    )
    killer.join()
    assert answer.code == 3, answer.err
    outcomes: list[Any] = [each["outcome"] for each in answer.json["nights"]]
    assert "failed" not in outcomes
    assert hashes(store) == hashes(threads)
