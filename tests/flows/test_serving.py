"""`make serve` as people start it: the schedule fires, and a night killed in the middle can be run again."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from flows.intake import source_of
from flows.serve import quiet
from schemas.methodology import Library
from tests.conftest import EDITION, EXTRACTS, ROOT, Answer

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("prefect")]
DEPLOYMENT = f"nightly/{EDITION}"
STEPS = {"admit", "validate", "prepare", "score", "judge", "publish"}

# Kills the process as soon as its engine opens a statement, once, where the file named by KILL_IN_SCORE is there.
KILLER = """
import os, signal, sys
flag = os.environ["KILL_IN_SCORE"]
def kill(event, arguments):
    is_due = event == "open" and "sql/score/" in str(arguments[0]) and "warehouse.engine" in callers()
    if is_due and os.path.exists(flag):
        os.remove(flag)
        os.kill(os.getpid(), signal.SIGKILL)
def callers():
    frame = sys._getframe(2)
    while frame:
        yield frame.f_globals.get("__name__")
        frame = frame.f_back
sys.addaudithook(kill)
"""


class Service:
    """A running `make serve`, its server spoken to over HTTP as its pages do."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.store, self.flag = folder, folder / "store", folder / "kill"
        self.environment = quiet(
            {
                **os.environ,
                "PREFECT_HOME": str(folder / "prefect"),
                "PREFECT_SERVER_API_PORT": str(port),
                "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "1",
                "PREFECT_WORKER_QUERY_SECONDS": "1",
                "KERAWANAN_STORE": str(self.store),
                "KILL_IN_SCORE": str(self.flag),
                "PYTHONPATH": str(folder / "site"),
            }
        )
        (folder / "site").mkdir()
        (folder / "site/sitecustomize.py").write_text(KILLER)
        self.api = httpx.Client(base_url=f"http://127.0.0.1:{port}/api/", timeout=30)

    def prefect(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "prefect", *arguments]
        subprocess.run(command, env=self.environment, check=True, cwd=ROOT, capture_output=True)

    def post(self, path: str, **body: Any) -> Any:
        answer = self.api.post(path, json=body)
        answer.raise_for_status()
        return answer.json()

    def until(self, ready: Callable[[], Any], seconds: int = 120) -> Any:
        """What `ready` says as soon as it says anything."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with suppress(httpx.HTTPError):
                if said := ready():
                    return said
            time.sleep(0.5)
        log = (self.folder / "log").read_text(errors="replace")
        raise AssertionError(f"nothing after {seconds} s; the service said:\n{log[-5000:]}")

    def ended(self, *states: str) -> list[dict[str, Any]]:
        return [run for run in self.post("flow_runs/filter") if run["state_name"] in states]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    served = Service(tmp_path_factory.mktemp("service"), port)
    with (served.folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "flows.serve"], env=served.environment, cwd=ROOT, stdout=log, stderr=log
        )
        try:
            served.until(lambda: "serving at" in (served.folder / "log").read_text(errors="replace"))
            yield served
        finally:
            process.terminate()
            assert process.wait(60) == 0


def test_the_schedule_fires_and_a_night_killed_in_score_ends_the_same_when_run_again(
    service: Service, tmp_path: Path, kerawanan: Callable[..., Answer]
) -> None:
    deployed = {each["name"]: each for each in service.post("deployments/filter")}
    assert deployed[EDITION]["schedules"][0]["schedule"] == {
        "cron": "30 1 * * *",
        "timezone": "Asia/Jakarta",
        "day_or": True,
    }
    assert deployed[EDITION]["global_concurrency_limit"]["limit"] == 1

    clean = kerawanan("run", "--edition", EDITION, "--inbox", EXTRACTS, "--store", tmp_path, "--format", "json")
    sources = Library().sources
    for path in sorted(EXTRACTS.iterdir()):
        facts = ("--source", source_of(path.name, sources), "--received-at", "2026-01-05T10:00")
        assert kerawanan("ingest", path, *facts, "--store", service.store).code == 0

    service.flag.touch()
    service.prefect("deployment", "schedule", "create", DEPLOYMENT, "--interval", "15", "--replace", "-y")
    (killed,) = service.until(lambda: service.ended("Crashed"))
    assert not service.flag.exists()
    assert killed["auto_scheduled"]
    assert not (service.store / "snapshots").exists()

    (fired,) = service.until(lambda: service.ended("Published"))
    assert fired["auto_scheduled"]
    assert fired["created_by"]["type"] == "SCHEDULE"
    tasks = service.post("task_runs/filter", flow_runs={"id": {"any_": [fired["id"]]}})
    assert {each["name"]: each["state_name"] for each in tasks} == dict.fromkeys(STEPS, "Completed")
    (artifact,) = service.post("artifacts/filter", flow_runs={"id": {"any_": [fired["id"]]}})
    assert "DKI Jakarta" in artifact["data"]
    service.prefect("deployment", "schedule", "clear", DEPLOYMENT, "-y")

    again = service.api.post(
        f"flow_runs/{killed['id']}/set_state", json={"state": {"type": "SCHEDULED"}, "force": True}
    )
    assert again.json()["status"] == "ACCEPT"
    assert service.until(lambda: [run for run in service.ended("Unchanged") if run["id"] == killed["id"]])
    log = [json.loads(path.read_text()) for path in (service.store / "log" / EDITION / "stable").iterdir()]
    assert [each["content_hash"] for each in log] == [clean.json["content_hash"]]
