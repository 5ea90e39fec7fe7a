"""Many nights at once: planned first, each equal to what it would have been, resumable, promoted together."""

import json
import random
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.night import backfill as module
from flows.night.backfill import catch_up
from flows.night.intake import source_of, take_in
from flows.night.steps import run_night
from flows.settings import Settings
from schemas.methodology.library import Library
from tests.conftest import EDITION, EXTRACTS, Answer, Nights
from warehouse.snapshots.channels import head, log_entries
from warehouse.snapshots.nights import night_records
from warehouse.snapshots.snapshots import read_manifest
from warehouse.snapshots.verify import verify
from warehouse.store.store import Store

Cli = Callable[..., Answer]
# On which day of January each extract of the bundled ones arrives, by the beginning of its name.
ARRIVALS = {"buku": 3, "siaran": 5, "media": 10, "dimensi": 20}
SPAN = ("--edition", EDITION, "--from", "2026-01-03", "--to", "2026-01-24", "--reason", "a test")


def arrived(store: Path, names: dict[str, int] = ARRIVALS) -> Path:
    """A store in which extracts arrived one after the other."""
    sources = Library().sources
    for name, day in names.items():
        (file,) = EXTRACTS.glob(f"{name}*")
        at = datetime(2026, 1, day, 3, tzinfo=UTC)
        intake = take_in(Store(str(store)), [file], sources, at, at, source_of(file.name, sources))
        assert intake.new
    return store


def hashes(store: Path | str) -> dict[str, str]:
    """The content that each night stands on."""
    found = Store(str(store))
    return {
        day: read_manifest(found, EDITION, record["snapshot_id"])["kerawanan"]["content_hash"]
        for day, record in night_records(found, EDITION).items()
    }


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return arrived(tmp_path_factory.mktemp("filled") / "store")


@pytest.fixture
def store(filled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(filled, tmp_path / "store"))


def test_a_plan_changes_nothing(store: Path, kerawanan: Cli) -> None:
    before = {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}
    answer = kerawanan("backfill", *SPAN, "--store", store, "--format", "json")
    assert answer.code == 0
    states = {each["as_of"]: each["state"] for each in answer.json["plan"]}
    assert len(states) == 22
    assert [day for day, state in states.items() if state == "computes"] == [
        "2026-01-03",
        "2026-01-05",
        "2026-01-10",
        "2026-01-20",
    ]
    assert set(states.values()) == {"computes", "stands"}
    likes = {each["as_of"]: each["like"] for each in answer.json["plan"]}
    assert (likes["2026-01-04"], likes["2026-01-19"], likes["2026-01-20"]) == ("2026-01-03", "2026-01-10", None)
    assert (answer.json["nights"], answer.json["run_id"]) == ([], None)
    assert before == {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}
    text = kerawanan("backfill", *SPAN, "--store", store).out
    assert "4 to compute: 2026-01-03, 2026-01-05, 2026-01-10, 2026-01-20" in text
    assert "Nothing was done" in text


@pytest.fixture(scope="module")
def one_by_one(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What nights come to that run one by one, in another order."""
    nights = Nights(tmp_path_factory.mktemp("one-by-one"))
    shutil.copytree(filled, nights.store)
    days = [date(2026, 1, 3) + timedelta(days=each) for each in range(22)]
    for day in random.Random(0).sample(days, len(days)):
        if day.day in (*ARRIVALS.values(), 4, 19, 24):
            nights.run(None, as_of=day)
    return hashes(nights.store)


@pytest.mark.slow
def test_it_comes_to_what_nights_one_by_one_come_to(store: Path, one_by_one: dict[str, str], kerawanan: Cli) -> None:
    answer = kerawanan("backfill", *SPAN, "--store", store, "--execute", "--workers", 2, "--format", "json")
    assert answer.code == 3  # the first nights have no press release, which the gate holds
    outcomes = [each["outcome"] for each in answer.json["nights"]]
    assert len(outcomes) == 22
    assert set(outcomes) == {"published", "held", "unchanged"}
    found = hashes(store)
    assert len(found) == 22
    assert {day: found[day] for day in one_by_one} == one_by_one
    assert len(set(found.values())) == 4
    opened = Store(str(store))
    latest = head(opened, EDITION, "candidate")
    assert latest is not None
    assert latest["as_of"] == "2026-01-20"
    assert head(opened, EDITION, "stable") is None  # candidates at most
    assert verify(opened)["damage"] == []
    record = json.loads((store / f"runs/{answer.json['run_id']}/run.json").read_text())
    assert (record["kind"], record["reason"], len(record["nights"])) == ("backfill", "a test", 22)
    runs = len(list((store / "runs").iterdir()))
    assert runs == 5  # four nights that computed, and the backfill itself
    again = kerawanan("backfill", *SPAN, "--store", store, "--execute", "--format", "json")
    assert again.code == 3
    assert {each["state"] for each in again.json["plan"]} == {"done"}
    assert hashes(store) == found
    assert len(list((store / "runs").iterdir())) == runs + 1


@pytest.mark.slow
def test_interrupted_it_goes_on_where_it_was(
    store: Path, one_by_one: dict[str, str], kerawanan: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed, count = module.computed, 0

    def killed(*given: Any) -> Any:
        nonlocal count
        count += 1
        if count == 3:
            raise KeyboardInterrupt
        return computed(*given)

    with monkeypatch.context() as patch:
        patch.setattr(module, "computed", killed)
        with pytest.raises(KeyboardInterrupt):
            kerawanan("backfill", *SPAN, "--store", store, "--execute")
    done = len(hashes(store))
    assert 2 <= done < 4
    again = kerawanan("backfill", *SPAN, "--store", store, "--execute", "--format", "json")
    states = [each["state"] for each in again.json["plan"]]
    assert (states.count("done"), states.count("computes")) == (done, 4 - done)
    found = hashes(store)
    assert {day: found[day] for day in one_by_one} == one_by_one
    assert len(log_entries(Store(str(store)), EDITION, "candidate")) == 4


@pytest.mark.slow
def test_a_night_that_fails_stops_no_other(store: Path, kerawanan: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(request: Any) -> Any:
        if request.as_of == date(2026, 1, 10):
            raise RuntimeError("no reason")
        return run_night(request)

    monkeypatch.setattr(module, "run_night", failing)
    span = (*SPAN[:3], "2026-01-01", *SPAN[4:])
    promote = ("--execute", "--promote", "--store", store)
    answer = kerawanan("backfill", *span, *promote, "--format", "json")
    assert answer.code == 1
    ended = {each["as_of"]: each for each in answer.json["nights"]}
    failed = [day for day, each in ended.items() if each["outcome"] == "failed"]
    assert failed == ["2026-01-01", "2026-01-02", *(f"2026-01-{day}" for day in range(10, 20))]
    assert ended["2026-01-01"]["reason"] == "no extract was received by then."
    assert ended["2026-01-10"]["reason"] == "something unforeseen went wrong: no reason"
    assert ended["2026-01-11"]["reason"] == "the night of 2026-01-10, which is the same, failed."
    assert ended["2026-01-24"]["outcome"] == "unchanged"
    assert answer.json["promoted"] == []
    assert "nothing was promoted" in answer.json["not_promoted"]
    assert head(Store(str(store)), EDITION, "stable") is None
    monkeypatch.setattr(module, "run_night", run_night)
    text = kerawanan("backfill", *SPAN, *promote)
    assert "Stable       ikp-2024-published stands on" in text.out
    stable = head(Store(str(store)), EDITION, "stable")
    assert stable is not None
    assert (stable["as_of"], stable["reason"]) == ("2026-01-20", "a test")


def test_a_revision_names_what_it_recomputes(store: Path, own_methodology: Path, kerawanan: Cli) -> None:
    plan = own_methodology / f"editions/{EDITION}/edition.yml"
    plan.write_text(plan.read_text() + "recomputes:\n  - {from: 2026-01-19, to: 2026-01-21}\n")
    asked = ("backfill", "--edition", EDITION, "--reason", "revision 2", "--store", store, "--format", "json")
    answer = kerawanan(*asked, "--methodology", own_methodology)
    assert [(each["as_of"], each["state"]) for each in answer.json["plan"]] == [
        ("2026-01-19", "computes"),
        ("2026-01-20", "computes"),
        ("2026-01-21", "stands"),
    ]
    nothing = kerawanan(*asked)
    assert (nothing.code, "declare none that they recompute" in nothing.err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--from", "2026-01-05", "--to", "2026-01-04", "--reason", "x"), "lies after"),
        (("--from", "2026-01-05", "--reason", "x"), "go together"),
        (("--from", "2026-01-05", "--to", "2026-01-06"), "--reason"),
        (("--from", "2026-01-05", "--to", "2026-01-06", "--reason", "x", "--workers", "0"), "1 to 64"),
        (("--from", "2026-01-05", "--to", "2026-01-06", "--reason", "x", "--promote"), "--execute"),
        (("--from", "2026-01-05", "--to", "2026-01-06", "--reason", "x", "--runner", "dask"), "go together"),
        (
            (
                *("--from", "2026-01-05", "--to", "2026-01-06", "--reason", "x", "--runner", "dask"),
                *("--dask-scheduler", "tcp://127.0.0.1:9"),
            ),
            "no Dask scheduler answers at tcp://127.0.0.1:9",
        ),
    ],
)
def test_wrong_usage_of_a_backfill(arguments: tuple[str, ...], words: str, tmp_path: Path, kerawanan: Cli) -> None:
    answer = kerawanan("backfill", "--edition", EDITION, *arguments, "--store", tmp_path)
    assert (answer.code, words in answer.err) == (2, True), answer.err


def test_without_dask_a_sentence_says_what_to_install(
    tmp_path: Path, kerawanan: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "prefect_dask", None)
    days = ("--from", "2026-01-05", "--to", "2026-01-06", "--reason", "x")
    on_dask = ("--runner", "dask", "--dask-scheduler", "tcp://127.0.0.1:9")
    answer = kerawanan("backfill", "--edition", EDITION, *days, *on_dask, "--store", tmp_path)
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert "Dask is not installed here" in answer.err
    assert "kerawanan[dask]" in answer.err


@pytest.mark.slow
def test_nights_that_were_missed_or_computed_too_early_are_made_up_for(nights: Nights, tmp_path: Path) -> None:
    arrived(nights.store)
    settings = Settings(store=str(nights.store))

    def caught_up(before: int, days: int = 7) -> dict[int, str]:
        now = datetime(2026, 1, before + 1, 2, tzinfo=UTC)
        return {each.as_of.day: each.outcome for each in catch_up(settings, EDITION, date(2026, 1, before), days, now)}

    assert caught_up(6) == {}  # no night is there yet, so none was missed
    early = nights.run(None, as_of=date(2026, 1, 3), now=datetime(2026, 1, 3, 1, tzinfo=UTC))
    assert caught_up(3) == {}
    # An extract of the same day, received after the night was computed.
    at = datetime(2026, 1, 3, 9, tzinfo=UTC)
    take_in(Store(str(nights.store)), [next(EXTRACTS.glob("rerata*"))], Library().sources, at, at, "rerata-nasional")
    assert set(caught_up(5)) == {3, 4}
    assert night_records(Store(str(nights.store)), EDITION)["2026-01-03"]["snapshot_id"] != early.snapshot_id
    assert caught_up(5) == {}
    assert set(caught_up(30, days=3)) == {27, 28, 29}
    assert caught_up(30, days=3) == {}
    assert len(list(nights.store.glob("runs/*backfill*"))) == 2
