"""Processes that publish and promote on one store at once make one history, and none loses what it published."""

import multiprocessing
import random
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schemas.errors import UsageError
from tests.conftest import EDITION
from tests.warehouse.conftest import Storage
from tests.warehouse.drafts import Drafts
from warehouse.snapshots.channels import head, log_entries
from warehouse.snapshots.promotion import promote, withdraw
from warehouse.snapshots.publish import publish_snapshot
from warehouse.snapshots.snapshots import snapshots
from warehouse.snapshots.verify import verify
from warehouse.store.sealed import sealed
from warehouse.store.store import Store

PROCESSES, ROUNDS = 8, 10


def rounds(worker: int, count: int, url: str, drafts: Drafts, folder: Path) -> list[str]:
    """The rounds of one process: publish something new, promote or withdraw something that is there."""
    luck, published = random.Random(worker), []
    for number in range(count):
        name = f"night-{worker}-{number}"
        change = 1.0 + worker + number / 100
        at = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=worker, minutes=number)
        draft = replace(drafts.other(folder / name, name, 1 + luck.randrange(28), change), created=at)
        published.append(publish_snapshot(Store(url), draft)[0])
        chosen = luck.choice(log_entries(Store(url), EDITION, "candidate"))["snapshot_id"]
        with suppress(UsageError):  # that it is stable already, or was withdrawn
            (withdraw if luck.random() < 0.1 else promote)(Store(url), chosen, at, f"{worker} in round {number}")
    return published


@pytest.mark.slow
def test_one_history(storage: Storage, drafts: Drafts, tmp_path: Path) -> None:
    url = drafts.with_raw(Store(storage.new())).url
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=spawned) as pool:
        work: list[Callable[[], list[str]]] = [
            pool.submit(rounds, worker, ROUNDS, url, drafts, tmp_path).result for worker in range(PROCESSES)
        ]
        published = sorted(name for done in work for name in done())
    store = Store(url)
    assert published == sorted(f"night-{each}-{number}" for each in range(PROCESSES) for number in range(ROUNDS))
    entries = log_entries(store, EDITION, "candidate")
    assert [each["number"] for each in entries] == list(range(1, PROCESSES * ROUNDS + 1))
    assert sorted(each["snapshot_id"] for each in entries) == published
    assert sorted(each["snapshot_id"] for each in snapshots(store)) == published
    assert len(log_entries(store, EDITION, "stable")) > ROUNDS
    for channel in ("candidate", "stable"):
        entry = head(store, EDITION, channel)
        assert entry is not None
        assert store.read(f"channels/{EDITION}/{channel}.json") == sealed(entry)
    found = verify(Store(url))
    assert found["damage"] == found["unfinished"] == []
