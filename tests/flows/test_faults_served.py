"""Everything that nights stand on is killed in turn while they run: no extract and no snapshot is lost, every night
comes to what it would have been, and the record of each run says what happened to it.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from flows.night.backfill import backfill, threads
from flows.night.intake import source_of, take_in
from flows.settings import Settings
from schemas.methodology.library import Library
from tests.conftest import EDITION, ROOT
from tests.flows.fortnight import PRESS, sent
from tests.flows.service import TERMINAL, Dask, Postgres, Service
from tests.flows.test_backfill import hashes
from tests.warehouse.conftest import BUCKET, Server, seaweedfs  # noqa: F401 - a fixture
from tests.warehouse.faults import failing
from warehouse.extracts.raw_store import receipts
from warehouse.snapshots.runs import run_records
from warehouse.snapshots.verify import verify
from warehouse.store.store import Store

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("prefect")]
KINDS = ("flow", "server", "store", "dask", "worker", "database", "intake")
WAITING = ("SCHEDULED", "PENDING")
FAULTS = 14  # each kind twice; more take CI longer than it may
SEED = 20240214
FIRST = date(2026, 1, 1)


def has_begun(service: Service, run_id: str) -> bool:
    """Whether a run has left the queue."""
    return service.api.get(f"flow_runs/{run_id}").json()["state_type"] not in WAITING


class Stage:
    """The service on its storage and its database, and what can happen to it."""

    def __init__(self, service: Service, database: Postgres, dask: Dask, store: str) -> None:
        self.service, self.database, self.dask, self.store = service, database, dask, store
        self.cut_until = 0.0

    def plan(self, *_: str) -> str:
        return "lost" if time.monotonic() < self.cut_until else "pass"

    def inject(self, kind: str) -> bool:
        """Let it happen; False where there was nothing to happen to."""
        if kind == "flow":
            processes = self.service.flow_processes()
            for process in processes:
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            return bool(processes)
        if kind in ("server", "worker"):
            self.service.kill(kind)
            self.service.start(kind)
        elif kind == "store":
            self.cut_until = time.monotonic() + 3
        elif kind == "dask":
            self.dask.kill_one()
        else:
            self.database.cut()
        return True


@pytest.fixture
def stage(
    tmp_path: Path,
    seaweedfs: Server,  # noqa: F811 - the fixture
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Stage]:
    database, store = Postgres(), f"s3://{BUCKET}/{tmp_path.name}"
    stages: list[Stage] = []
    with failing(seaweedfs.address, lambda *request: stages[0].plan(*request)) as address:
        environment = {**seaweedfs.environment(), "AWS_ENDPOINT_URL": address}
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        service = Service(
            tmp_path,
            PREFECT_SERVER_DATABASE_CONNECTION_URL=database.url,
            KERAWANAN_STORE=store,
            **environment,
        )
        stages.append(Stage(service, database, dask := Dask(tmp_path, service.environment), store))
        try:
            service.start("server")
            service.run("flows.server.deploy")
            service.start("worker")
            yield stages[0]
        finally:
            dask.stop()
            service.stop()
            database.drop()


def arriving(number: int, folder: Path) -> Path:
    """The extract of a day: the same figures with another one for DKI Jakarta."""
    file = folder / f"siaran-pers-provinsi-{number:02}.csv"
    file.write_bytes(sent(PRESS, ("88,95", f"{50 + number},95")))
    return file


def received(number: int) -> datetime:
    return datetime(2026, 1, 1, 3, tzinfo=UTC) + timedelta(days=number)


def ingested(file: Path, number: int, store: str, kill_after: float | None = None) -> bool:
    """Take in a file in a process of its own, which may be killed; whether it came to its end."""
    source, at = source_of(file.name, Library().sources), received(number)
    command = [*(sys.executable, "-m", "flows.cli"), *("ingest", str(file), "--source", source)]
    command += ["--received-at", f"{at:%Y-%m-%dT%H:%M}", "--store", store]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if kill_after is not None:
        time.sleep(kill_after)
        process.kill()
    return process.wait() == 0


def test_killed_in_turn_nothing_is_lost(stage: Stage, tmp_path: Path, record_property: Any) -> None:
    chance, service = random.Random(SEED), stage.service
    injected: Counter[str] = Counter()
    ended: Counter[tuple[str, str]] = Counter()
    assert ingested(arriving(0, tmp_path), 0, stage.store)
    assert service.done(service.begun(EDITION, as_of=str(FIRST)))["state_name"] == "Published"
    number = 1
    while injected.total() < FAULTS and number < 2 * FAULTS:
        kind = KINDS[injected.total() % len(KINDS)]
        day = FIRST + timedelta(days=number)
        file = arriving(number, tmp_path)
        if kind == "intake" and not ingested(file, number, stage.store, kill_after=chance.uniform(0.2, 1.2)):
            injected[kind] += 1
        assert any(ingested(file, number, stage.store) for _ in range(3))
        if kind == "dask":
            asked = {"editions": [EDITION], "reason": "a fault", "first": str(day), "last": str(day), "execute": True}
            run_id = service.begun("backfill", **asked, dask_scheduler=stage.dask.address)
        else:
            run_id = service.begun(EDITION, as_of=str(day))
        # A run whose worker dies before it has begun stands still until it is marked as crashed, after ten minutes.
        service.until(partial(has_begun, service, run_id))
        time.sleep(chance.uniform(1.0, 6.0))
        if kind != "intake" and service.api.get(f"flow_runs/{run_id}").json()["state_type"] not in TERMINAL:
            injected[kind] += stage.inject(kind)
        run = service.done(run_id, 400)
        ended[kind, run["state_name"]] += 1
        number += 1
    assert injected.total() >= FAULTS
    assert set(injected) == set(KINDS)
    last = service.done(service.begun(EDITION, as_of=str(day), missed_days=100), 400)
    assert last["state_name"] in ("Published", "Unchanged", "Held"), last["state"]["message"]

    reference = tmp_path / "reference"
    for each in range(number):
        at = received(each)
        take_in(Store(str(reference)), [arriving(each, tmp_path)], Library().sources, at, at, "siaran-pers-provinsi")
    settings = Settings(store=str(reference))
    backfill(settings, [EDITION], (FIRST, day), "reference", datetime.now(UTC), threads(2))
    store = Store(stage.store)
    assert len(receipts(store, Library().sources)) == number
    assert hashes(stage.store) == hashes(str(reference))
    found = verify(store)
    assert found["damage"] == []
    told = Counter(record.outcome for record in run_records(store, datetime.now(UTC)))
    assert set(told) <= {"published", "unchanged", "held", "done", "failed", "killed"}
    assert told["killed"] > 0
    record_property("points", injected.total())
