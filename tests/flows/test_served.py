"""A service as in production: a Prefect server on PostgreSQL, a worker, nights by schedule, notices to people."""

import os
import re
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from flows.clock import TIME_ZONE
from flows.night.intake import source_of, take_in
from schemas.methodology.library import Library
from tests.conftest import EDITION
from tests.flows.fortnight import FORTNIGHT, PRESS, arrive, night_of, sent
from tests.flows.service import Dask, Postgres, Service, receiver
from tests.flows.test_backfill import hashes
from warehouse.snapshots.channels import log_entries
from warehouse.snapshots.runs import run_records
from warehouse.snapshots.verify import verify
from warehouse.store.store import Store

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("prefect")]
Notices = list[dict[str, Any]]

# Lets the engine wait for ever, while the file named by HANG_IN_SCORE is there.
HANGING = """
import os, sys, time
def hang(event, arguments):
    is_statement = event == "open" and "score/score_moments.sql" in str(arguments[0])
    while is_statement and os.path.exists(os.environ["HANG_IN_SCORE"]):
        time.sleep(1)
sys.addaudithook(hang)
"""


class Served(Service):
    """A service with a store, and the notices that it sent."""

    store: Path
    notices: Notices

    def noticed(self, state: str, run: str) -> dict[str, Any]:
        """The notice of a state of a run, by the beginning of the run's name."""

        def found() -> Notices:
            return [each for each in self.notices if each["state"] == state and each["run"].startswith(run)]

        return dict(self.until(found, 60)[0])

    def hurry(self, name: str, seconds: float) -> None:
        """Let an automation wait for so long: what is right in production would be long for a test."""
        (watch,) = [each for each in self.post("automations/filter") if name in each["name"]]
        watch["trigger"]["within"] = seconds
        told = {name: watch[name] for name in ("name", "description", "enabled", "trigger", "actions")}
        assert self.api.put(f"automations/{watch['id']}", json=told).is_success


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    database, folder = Postgres(), tmp_path_factory.mktemp("served")
    (folder / "site").mkdir()
    (folder / "site/sitecustomize.py").write_text(HANGING)
    with receiver() as (address, notices):
        running = Served(
            folder,
            PREFECT_SERVER_DATABASE_CONNECTION_URL=database.url,
            PREFECT_SERVER_SERVICES_LATE_RUNS_AFTER_SECONDS=10,
            KERAWANAN_STORE=folder / "store",
            KERAWANAN_NOTICES=address,
            HANG_IN_SCORE=folder / "hang",
            PYTHONPATH=folder / "site",
        )
        running.store, running.notices = folder / "store", notices
        try:
            running.start("server")
            running.run("flows.server.deploy")
            running.run("flows.server.deploy")  # again: what is there is brought up to date
            running.start("worker")
            yield running
        finally:
            running.stop()
            database.drop()


def newer_runs(service: Served, known: set[str]) -> set[str]:
    """The runs that were not there before."""
    return {run["id"] for run in service.runs()} - known


@pytest.fixture(scope="module")
def lived(service: Served) -> Served:
    """The fortnight: each night by the schedule of its deployment, but for those on which the machine was off."""
    for number, day in FORTNIGHT.items():
        arrive(Store(str(service.store)), number, service.folder)
        if day.outcome is None:
            continue
        known = {run["id"] for run in service.runs()}
        half_past_one = datetime(2026, 1, number, 1, 30, tzinfo=ZoneInfo(TIME_ZONE)) + timedelta(days=1)
        service.scheduled(EDITION, half_past_one - timedelta(hours=1), half_past_one + timedelta(hours=1))
        (run_id,) = service.until(partial(newer_runs, service, known))
        ended = service.done(run_id)
        assert (ended["auto_scheduled"], ended["name"]) == (True, f"{EDITION} as of {night_of(number)}")
        state = ended["state_name"].replace("Held", "Published").lower()
        assert (number, state) == (number, day.outcome), ended["state"]["message"]
    return service


def test_a_fortnight_by_schedule_leaves_exactly_what_is_predicted(lived: Served) -> None:
    found = hashes(lived.store)
    assert sorted(found) == [str(night_of(number)) for number in FORTNIGHT]  # missed ones were caught up
    for number, day in FORTNIGHT.items():
        content = found[str(night_of(number))]
        assert next(each for each, other in found.items() if other == content) == str(night_of(day.like)), number
    store = Store(str(lived.store))
    new = [number for number, day in FORTNIGHT.items() if day.outcome == "published"]
    assert len({each["snapshot_id"] for each in log_entries(store, EDITION, "candidate")}) == len(new)
    assert len(list((lived.store / f"snapshots/{EDITION}").iterdir())) == len(new)
    damage = verify(store)
    assert damage["damage"] == damage["unfinished"] == []
    caught_up = [run for run in lived.runs() if "missed night(s) computed before" in run["state"]["message"]]
    assert [run["name"][-2:] for run in caught_up] == ["08", "13"]
    artifacts = lived.post("artifacts/filter", flow_runs={"id": {"any_": [caught_up[0]["id"]]}})
    shown = next(each["data"] for each in artifacts if each["key"] == f"night-{EDITION}")
    assert "## Nights that were missed, computed before" in shown
    assert "2026-01-07: unchanged" in shown.replace("\\", "")
    assert "history over all nights" in shown


def test_the_log_of_a_night_is_in_its_page(lived: Served) -> None:
    (first,) = [run for run in lived.runs() if run["name"].endswith("2026-01-01")]
    lines = [each["message"] for each in lived.post("logs/filter", logs={"flow_run_id": {"any_": [first["id"]]}})]
    steps = [line for line in lines if re.fullmatch(rf"{EDITION} as of 2026-01-01: \w+ done in \d+\.\d s", line)]
    assert [line.split()[4] for line in steps] == ["admit", "validate", "prepare", "score", "judge", "publish"]


def taken_in(service: Served, day: int, content: bytes) -> None:
    file, at, sources = service.folder / PRESS, datetime(2026, 1, day, 3, tzinfo=UTC), Library().sources
    file.write_bytes(content)
    take_in(Store(str(service.store)), [file], sources, at, at, source_of(PRESS, sources))


def test_people_are_told_of_what_is_held_fails_or_is_late(lived: Served) -> None:
    taken_in(lived, 20, re.sub(rb";\d+,\d+;", b";1,00;", sent(PRESS)))
    lived.begun(EDITION, as_of="2026-01-20", missed_days=0)
    held = lived.noticed("Held", f"{EDITION} as of 2026-01-20")
    assert "but only <= 0.1 is allowed" in held["message"]
    assert held["text"] == f"{EDITION} as of 2026-01-20 (nightly of {EDITION}): Held. {held['message']}"
    assert held["page"].startswith("http")
    assert "/v2/runs/flow-run/" in held["page"]
    lived.begun(EDITION, as_of="2099-01-01")
    failed = lived.noticed("Failed", f"{EDITION} as of 2099-01-01")
    assert "the night of 2099-01-01 has not come yet" in failed["message"]
    lived.kill("worker")
    waiting = lived.begun(EDITION, as_of="2026-01-14")
    late = lived.api.get(f"flow_runs/{waiting}").json()["name"]
    assert lived.noticed("Late", late)["message"] == "no worker has taken it yet"
    lived.start("worker")
    assert lived.done(waiting)["state_name"] in ("Unchanged", "Held")
    assert not [each for each in lived.notices if each["state"] in ("Published", "Unchanged", "Completed")]
    assert "planted-token" not in lived.log


def test_replayed_in_another_order_on_threads_and_on_dask_it_comes_to_the_same(lived: Served, tmp_path: Path) -> None:
    again = tmp_path / "again"
    for number in FORTNIGHT:
        arrive(Store(str(again)), number, tmp_path)
    asked = {"editions": [EDITION], "reason": "replayed", "execute": True, "store": str(again)}
    dask = Dask(tmp_path, lived.environment)
    try:
        parts = (
            {"first": "2026-01-08", "last": "2026-01-14", "workers": 3},
            {"first": "2026-01-01", "last": "2026-01-07", "dask_scheduler": dask.address},
        )
        for part in parts:
            ended = lived.done(lived.begun("backfill", **asked, **part), 300)
            assert ended["state_name"] == "Done", ended["state"]["message"]
    finally:
        dask.stop()
    there = hashes(lived.store)
    assert hashes(again) == {day: there[day] for day in map(str, map(night_of, FORTNIGHT))}
    assert verify(Store(str(again)))["damage"] == []


def test_a_run_whose_machine_died_is_found_and_told(lived: Served) -> None:
    lived.hurry("process is gone", 40)  # heartbeats come every 30 seconds
    taken_in(lived, 21, sent(PRESS, ("88,95", "81,95")))
    run_id = lived.begun(EDITION, as_of="2026-01-21", missed_days=0)
    lived.until(lambda: lived.api.get(f"flow_runs/{run_id}").json()["state_type"] == "RUNNING")
    time.sleep(1)
    for process in lived.flow_processes():
        os.kill(process, signal.SIGKILL)
    lived.kill("worker")
    assert lived.done(run_id)["state"]["message"] == "it has said nothing for too long"
    lived.noticed("Crashed", f"{EDITION} as of 2026-01-21")
    lived.start("worker")
    again = lived.done(lived.begun(EDITION, as_of="2026-01-21", missed_days=0))
    assert again["state_name"] in ("Published", "Held")
    records = run_records(Store(str(lived.store)), datetime.now(UTC))
    assert next(each.outcome for each in records if str(each.as_of) == "2026-01-21") == "killed"


def test_a_run_that_was_being_started_when_all_went_down_holds_up_nobody(lived: Served) -> None:
    lived.hurry("does not start or stop", 20)
    run_id = lived.begun(EDITION, as_of="2026-01-21", missed_days=0)
    lived.until(lambda: lived.api.get(f"flow_runs/{run_id}").json()["state_name"] in ("Pending", "Submitting"))
    for process in lived.flow_processes():
        os.kill(process, signal.SIGKILL)
    lived.kill("worker")
    lived.kill("server")
    lived.start("server")
    lived.start("worker")
    waiting = lived.begun(EDITION, as_of="2026-01-21", missed_days=0)
    assert lived.done(run_id)["state_type"] == "CRASHED"
    assert lived.done(waiting)["state_type"] in ("COMPLETED", "FAILED")


def test_a_night_that_hangs_is_ended_and_told(lived: Served) -> None:
    lived.hurry("a run of nightly that hangs", 10)
    taken_in(lived, 22, sent(PRESS, ("88,95", "80,95")))
    (lived.folder / "hang").touch()
    run_id = lived.begun(EDITION, as_of="2026-01-22", missed_days=0)
    assert lived.done(run_id)["state_type"] == "CANCELLED"
    (lived.folder / "hang").unlink()
    lived.noticed("Cancelled", f"{EDITION} as of 2026-01-22")
    lived.until(lambda: not lived.flow_processes())
    lived.hurry("a run of nightly that hangs", 10000)
    assert lived.done(lived.begun(EDITION, as_of="2026-01-22", missed_days=0))["state_name"] in ("Published", "Held")
    records = run_records(Store(str(lived.store)), datetime.now(UTC))
    assert next(each.outcome for each in records if str(each.as_of) == "2026-01-22") in ("killed", "failed")


def test_without_an_address_nobody_is_told(lived: Served) -> None:
    lived.environment.pop("KERAWANAN_NOTICES")
    lived.run("flows.server.deploy")
    assert not [each for each in lived.post("automations/filter") if "needs people" in each["name"]]
    assert not [each for each in lived.post("block_documents/filter") if each["name"] == "kerawanan-notices"]
    lived.run("flows.server.deploy")
