"""`make serve` as people start it: the schedule fires, and a night killed in the middle can be run again."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flows.night.intake import source_of
from schemas.methodology.library import Library
from tests.conftest import EDITION, EXTRACTS, Answer
from tests.flows.service import Service

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("prefect")]
DEPLOYMENT = f"nightly/{EDITION}"
STEPS = {"admit", "validate", "prepare", "score", "judge", "publish"}

# Kills the process as soon as its engine opens a statement, once, where the file named by KILL_IN_SCORE is there.
KILLER = """
import os, signal, sys
flag = os.environ["KILL_IN_SCORE"]
def kill(event, arguments):
    is_due = event == "open" and "sql/score/" in str(arguments[0]) and "warehouse.engine.engine" in callers()
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


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    (folder / "site").mkdir()
    (folder / "site/sitecustomize.py").write_text(KILLER)
    running = Service(
        folder, KERAWANAN_STORE=folder / "store", KILL_IN_SCORE=folder / "kill", PYTHONPATH=folder / "site"
    )
    try:
        running.start("all")
        yield running
    finally:
        running.stop()


def test_the_schedule_fires_and_a_night_killed_in_score_ends_the_same_when_run_again(
    service: Service, tmp_path: Path, kerawanan: Callable[..., Answer]
) -> None:
    store, flag = service.folder / "store", service.folder / "kill"
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
        assert kerawanan("ingest", path, *facts, "--store", store).code == 0

    flag.touch()
    service.run("prefect", "deployment", "schedule", "create", DEPLOYMENT, "--interval", "15", "--replace", "-y")
    (killed,) = service.until(lambda: service.runs("Crashed"))
    assert not flag.exists()
    assert killed["auto_scheduled"]
    assert not (store / "snapshots").exists()

    (fired,) = service.until(lambda: service.runs("Published"))
    assert fired["auto_scheduled"]
    assert fired["created_by"]["type"] == "SCHEDULE"
    tasks = service.post("task_runs/filter", flow_runs={"id": {"any_": [fired["id"]]}})
    assert {each["name"]: each["state_name"] for each in tasks} == dict.fromkeys(STEPS, "Completed")
    (artifact,) = service.post("artifacts/filter", flow_runs={"id": {"any_": [fired["id"]]}})
    assert "DKI Jakarta" in artifact["data"]
    service.run("prefect", "deployment", "schedule", "clear", DEPLOYMENT, "-y")

    again = service.api.post(
        f"flow_runs/{killed['id']}/set_state", json={"state": {"type": "SCHEDULED"}, "force": True}
    )
    assert again.json()["status"] == "ACCEPT"
    assert service.until(lambda: [run for run in service.runs("Unchanged") if run["id"] == killed["id"]])
    log = [json.loads(path.read_text()) for path in (store / "log" / EDITION / "stable").iterdir()]
    assert [each["content_hash"] for each in log] == [clean.json["content_hash"]]


def test_a_refusal_is_a_state_and_lines_without_a_traceback(service: Service) -> None:
    for deployment, given, sentence in (
        (EDITION, {"edition": "ikp-2024-publised"}, "Did you mean 'ikp-2024-published'?"),
        ("promote", {"snapshot": "nothing", "reason": "a test"}, "there is no such snapshot"),
    ):
        refused = service.done(service.begun(deployment, **given))
        assert (refused["state_name"], sentence in refused["state"]["message"]) == ("Failed", True)
        lines = service.post("logs/filter", logs={"flow_run_id": {"any_": [refused["id"]]}})
        said = [each["message"] for each in lines]
        assert any(sentence in each for each in said)
        assert not [each for each in said if "Traceback" in each]
