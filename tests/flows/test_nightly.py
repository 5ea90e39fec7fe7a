"""The nightly flow against a Prefect server: six tasks, named states, an artifact, retries where they help."""

import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from prefect.client.orchestration import get_client
from prefect.exceptions import FailedRun
from prefect.flow_engine import run_flow
from prefect.logging import get_logger
from prefect.utilities.callables import parameter_schema

from flows.clock import TIME_ZONE
from flows.night.backfill import Ended
from flows.results.markdown import night_markdown
from flows.results.night import NightAnswer
from flows.server import nightly as nightly_module
from flows.server import tasks
from flows.server.nightly import last_completed_day, nightly
from schemas.errors import StorageError
from schemas.methodology.library import Library
from schemas.sentence import Sentence
from tests.conftest import EDITION, EXTRACTS, ROOT, Published
from tests.flows.answers import samples
from tests.flows.test_backfill import arrived, hashes
from warehouse.snapshots.channels import CHANNELS, log_entries
from warehouse.snapshots.runs import RefusedFile
from warehouse.store.store import Store

STEPS = ["admit", "validate", "prepare", "score", "judge", "publish"]
# Prefect's own client and server leave sockets and loops to the collector.
pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.xdist_group("prefect")]


@pytest.fixture(scope="module", autouse=True)
def _server() -> Iterator[None]:
    from prefect.testing.utilities import prefect_test_harness  # the whole server: only where it is started

    with prefect_test_harness(server_startup_timeout=60):
        yield


def run(store: Path, edition: str = EDITION, inbox: Path = EXTRACTS) -> Any:
    day = datetime.now(ZoneInfo(TIME_ZONE)).date()
    return nightly(edition, as_of=day, store=str(store), inbox=str(inbox), return_state=True)


def tasks_of(state: Any) -> dict[str, list[str]]:
    """The task runs of a flow run, in the order they started: their names and the states they went through."""
    run_id = str(state.state_details.flow_run_id)
    with get_client(sync_client=True) as client:
        runs = [each for each in client.read_task_runs() if str(each.flow_run_id) == run_id]
        began = {each.id: each.start_time for each in runs if each.start_time and each.state}
        ordered = sorted((each for each in runs if each.id in began), key=lambda each: began[each.id])
        assert len(ordered) == len(runs)
        return {
            each.name: [str(past.name) for past in client.read_task_run_states(each.id)]
            or [str(each.state and each.state.name)]
            for each in ordered
        }


def artifact_of(state: Any) -> str:
    with get_client(sync_client=True) as client:
        found = [
            each for each in client.read_artifacts() if str(each.flow_run_id) == str(state.state_details.flow_run_id)
        ]
    assert len(found) == 1
    return str(found[0].data)


def test_a_night_is_six_tasks_named_states_and_an_artifact(tmp_path: Path) -> None:
    first = run(tmp_path / "store")
    assert (first.type.value, first.name) == ("COMPLETED", "Published")
    assert list(tasks_of(first)) == STEPS
    result = first.result()
    assert result["outcome"] == "published"
    text = artifact_of(first)
    assert f"- history over all nights: {tmp_path}" in text.replace("\\", "")
    assert "| 1 | 31 | DKI Jakarta | 88.950 | tinggi | entered |" in text
    assert "| province | input | sedang | 21 |" in text
    assert f"- snapshot: {tmp_path}" in text.replace("\\", "")
    assert result["snapshot_id"] in text
    again = run(tmp_path / "store")
    assert (again.type.value, again.name) == ("COMPLETED", "Unchanged")
    assert again.result()["content_hash"] == result["content_hash"]
    assert again.result()["snapshot_id"] == result["snapshot_id"]


@pytest.mark.slow
def test_a_held_night_says_why(tmp_path: Path, own_methodology: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = own_methodology / "gate.csv"
    gate.write_text(gate.read_text() + "all_regencies,known_share,regency_city,input,,,1,,critical,\n")
    monkeypatch.setenv("KERAWANAN_METHODOLOGY", str(own_methodology))
    held = run(tmp_path / "store")
    assert (held.type.value, held.name) == ("FAILED", "Held")
    assert "0.0817121, but only >= 1 is allowed" in held.message
    text = artifact_of(held)
    assert "## Held because" in text
    assert "gate.html" in text
    assert not (tmp_path / "store/stable").exists()
    with pytest.raises(FailedRun, match="is allowed"):
        held.result()


@pytest.mark.parametrize(
    ("edition", "threads", "sentence"),
    [
        ("ikp-2024-publised", "1", "there is no edition 'ikp-2024-publised'; .* Did you mean 'ikp-2024-published'\\?"),
        (EDITION, "many", "threads 'many' is not a number of threads for the engine, 1 or more."),
        (EDITION, "1", "the inbox nowhere is not a folder."),
    ],
)
def test_a_refusal_is_a_state_with_a_sentence_and_leaves_no_traceback_in_the_log_of_a_worker(
    edition: str, threads: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("KERAWANAN_THREADS", threads)
    monkeypatch.setattr(logging.getLogger("prefect"), "propagate", True)  # else nothing of it is captured
    given = {"edition": edition, "as_of": date(2026, 1, 31), "store": str(tmp_path / "store"), "inbox": "nowhere"}
    with pytest.raises(FailedRun, match=f"^{sentence}$"):
        run_flow(nightly, parameters=given, error_logger=get_logger("flow_runs"))  # as a worker runs it
    assert "Finished in state Failed" in caplog.text
    assert not [each for each in caplog.records if each.exc_info]
    assert "Traceback" not in caplog.text + "".join(capfd.readouterr())


def test_what_nobody_foresaw_keeps_its_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a mistake of ours")

    monkeypatch.setattr(nightly_module, "run_night", broken)
    monkeypatch.setattr(logging.getLogger("prefect"), "propagate", True)
    given = {"edition": EDITION, "as_of": date(2026, 1, 31), "store": str(tmp_path / "store")}
    with pytest.raises(ZeroDivisionError):
        run_flow(nightly, parameters=given, error_logger=get_logger("flow_runs"))
    assert any(each.exc_info for each in caplog.records)


@pytest.mark.slow
def test_what_people_did_wrong_is_said_in_a_sentence_and_not_tried_again(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    unknown = run(tmp_path / "store", edition="no-such-edition")
    assert (unknown.type.value, unknown.name) == ("FAILED", "Failed")
    assert unknown.message.startswith("there is no edition 'no-such-edition'; there are: ")
    (tmp_path / "empty").mkdir()
    nothing = run(tmp_path / "store", inbox=tmp_path / "empty")
    assert nothing.message.startswith(f"there is no figure for {EDITION}")
    missing = run(tmp_path / "store", inbox=tmp_path / "nowhere")
    assert missing.message == f"the inbox {tmp_path / 'nowhere'} is not a folder."
    assert "AwaitingRetry" not in str(tasks_of(missing))
    assert "Traceback" not in "".join(capfd.readouterr())


@pytest.mark.slow
def test_a_storage_that_fails_once_is_asked_again(
    bundled: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "RETRY_DELAYS", [0.0, 0.0, 0.0])
    failures = {"create": 3, "replace": 2}
    for verb, sound in ((name, getattr(Store, name)) for name in failures):

        def shaky(*arguments: Any, verb: str = verb, sound: Any = sound) -> Any:
            if "snapshots/" in arguments[1] or "nights/" in arguments[1]:
                failures[verb] -= 1
                if failures[verb] == 0:
                    raise StorageError(f"{arguments[1]}: the disk did not answer.")
            return sound(*arguments)

        monkeypatch.setattr(Store, verb, shaky)
    failures["replace"] = 1
    night = run(tmp_path / "shaky")
    assert night.name == "Published", night.message
    assert max(failures.values()) <= 0
    assert night.result()["content_hash"] == bundled[1].content_hash
    store = Store(str(tmp_path / "shaky"))
    assert [key for channel in CHANNELS for key in store.keys(f"log/{EDITION}/{channel}")] == [
        f"log/{EDITION}/candidate/000001.json",
        f"log/{EDITION}/stable/000001.json",
    ]


@pytest.mark.slow
def test_a_night_makes_up_for_missed_ones(tmp_path: Path) -> None:
    store = arrived(tmp_path / "store")

    def night(day: int, **more: Any) -> Any:
        return nightly(EDITION, as_of=date(2026, 1, day), store=str(store), **more, return_state=True)

    first = night(3)
    assert "missed" not in first.message  # there is no night before the first
    assert "missed" not in night(6, missed_days=0).message
    sixth = night(7)
    assert sixth.message.endswith("; 2 missed night(s) computed before (1 held, 1 unchanged)")
    found = hashes(store)
    assert sorted(found) == [f"2026-01-0{day}" for day in (3, 4, 5, 6, 7)]
    assert (found["2026-01-04"], found["2026-01-05"]) == (found["2026-01-03"], found["2026-01-06"])
    assert "## Nights that were missed, computed before" in artifact_of(sixth)
    # They are candidates at most: the first good night by itself became stable, and nothing moved it.
    assert [each["as_of"] for each in log_entries(Store(str(store)), EDITION, "stable")] == ["2026-01-06"]


def test_the_night_of_a_schedule_is_the_last_day_complete_in_jakarta() -> None:
    assert last_completed_day(datetime(2026, 11, 23, 18, 30, tzinfo=UTC)) == date(2026, 11, 23)
    assert last_completed_day(datetime(2026, 11, 23, 16, 59, tzinfo=UTC)) == date(2026, 11, 22)


def test_the_form_explains_every_parameter() -> None:
    fields = parameter_schema(nightly).properties
    assert list(fields) == ["edition", "as_of", "store", "inbox", "missed_days"]
    assert all(len(field["description"]) > 20 for field in fields.values())


def test_deployments_run_every_night_one_at_a_time_per_edition() -> None:
    every = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    deployments = [each for each in every if each["entrypoint"] == "flows/server/nightly.py:nightly"]
    assert len(deployments) > 1
    editions = [each["parameters"]["edition"] for each in deployments]
    assert len(set(editions)) == len(editions)
    for each in deployments:
        (schedule,) = each["schedules"]
        # Nobody sends simulated forms by himself: scheduled, it would only fail every night.
        assert schedule.pop("active", True) == ("SIMULATED" not in each["description"])
        assert schedule == {"cron": "30 1 * * *", "timezone": TIME_ZONE}
        assert each["concurrency_limit"] == {"limit": 1, "collision_strategy": "ENQUEUE"}
        Library().must_have(each["parameters"]["edition"])


def test_input_cannot_write_markup_into_the_artifact() -> None:
    hostile = "<img src=x onerror=alert(1)> | [click](http://example.org) `x`\n# heading"
    sentence, empty = Sentence(hostile, hostile), next(samples(NightAnswer))
    answer = replace(
        empty,
        critical=(sentence,),
        withdrawn=hostile,
        refused=(RefusedFile(file_name=hostile, reason=hostile),),
        index=replace(empty.index, top_of=sentence),
        reports=replace(empty.reports, silent=(hostile,)),
    )
    missed = Ended(hostile, date(2026, 1, 1), "failed", None, sentence)
    text = night_markdown(answer, missed=[missed])
    assert not re.search(r"(?<!\\)[<>`]|(?<!\\)\]\(|^# heading", text, re.MULTILINE)
    assert "SIMULATED" in text
