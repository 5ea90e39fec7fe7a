"""Tables over all nights, and what is known of every run."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pyarrow.parquet as pq
import pytest

from flows.clock import TIME_ZONE
from flows.night import record
from schemas.contract.tables import polars_schema
from schemas.errors import StorageError
from schemas.methodology.library import Library
from tests.conftest import EDITION, EXTRACTS, ROOT, Answer, Nights, Published
from warehouse.snapshots.history import write_history
from warehouse.snapshots.runs import RunRecord, begin_run
from warehouse.store.store import Store

Cli = Callable[..., Answer]


def table(store: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(store / f"history/v1/{EDITION}/{name}.parquet")


@pytest.mark.slow
def test_nights_and_runs_can_be_charted(published: Published, tmp_path: Path) -> None:
    nights, first = published
    inbox = tmp_path / "more"
    inbox.mkdir()
    file = next(EXTRACTS.glob("siaran*"))
    (inbox / file.name).write_text(file.read_text().replace("88,95", "87,15"))
    same = nights.run(None, as_of=date(2026, 2, 1))
    second = nights.run(inbox, as_of=date(2026, 2, 2))
    scores = table(nights.store, "night_score")
    dictionary = Library().dictionary
    assert scores.schema == pl.Schema(polars_schema(dictionary, "night_score"))
    jakarta = scores.filter(region_code="31", approach="input").select("night", "score", "rank", "snapshot_id")
    assert jakarta.rows() == [
        (date(2026, 1, 31), 88.95, 1, first.snapshot_id),
        (date(2026, 2, 1), 88.95, 1, same.snapshot_id),
        (date(2026, 2, 2), 87.15, 2, second.snapshot_id),
    ]
    assert (same.outcome, same.snapshot_id) == ("unchanged", first.snapshot_id)
    assert scores.select("night", "region_level", "approach", "region_code").is_unique().all()
    index = nights.table(second, "index_score").select("region_code", "approach", "score", "rank", "category")
    assert scores.filter(night=date(2026, 2, 2)).join(index, on=index.columns, nulls_equal=True).height == index.height
    runs = table(nights.store, "run")
    assert runs.schema == pl.Schema(polars_schema(dictionary, "run"))
    assert runs["outcome"].to_list() == ["published", "unchanged", second.outcome]
    assert runs.select("extracts", "extracts_new", "rows", "rows_quarantined").rows()[:2] == [
        (7, 7, 176, 0),
        (7, 0, 176, 0),
    ]
    assert runs["seconds_score"].is_null().to_list() == [False, True, False]
    steps = [name for name in runs.columns if name.startswith("seconds_")]
    total = runs.select(pl.sum_horizontal(steps)).to_series()
    assert ((total - runs["seconds"]).abs() < 1e-9).all()
    assert (runs["seconds_admit"] > 0).all()
    file = nights.store / f"history/v1/{EDITION}/night_score.parquet"
    assert pq.ParquetFile(file).metadata.row_group(0).column(0).compression == "SNAPPY"
    # Whoever deletes them gets the same again.
    for spoil in (Path.unlink, lambda path: path.write_bytes(b"PAR1"), lambda path: path.write_bytes(b"")):
        for path in (nights.store / "history").rglob("*.parquet"):
            spoil(path)
        write_history(Store(str(nights.store)), EDITION, dictionary, datetime.now(UTC))
        assert table(nights.store, "night_score").equals(scores)
        assert table(nights.store, "run").equals(runs)


@pytest.mark.slow
def test_a_night_that_is_run_again_is_charted_as_it_is_now(published: Published, tmp_path: Path) -> None:
    nights, first = published
    inbox = tmp_path / "more"
    inbox.mkdir()
    file = next(EXTRACTS.glob("siaran*"))
    (inbox / file.name).write_text(file.read_text().replace("88,95", "87,15"))
    again = nights.run(inbox, as_of=date(2026, 1, 31))
    assert again.snapshot_id != first.snapshot_id
    assert table(nights.store, "night_score")["snapshot_id"].unique().to_list() == [again.snapshot_id]
    assert table(nights.store, "run").height == 2


def test_what_is_withdrawn_is_charted_as_such(published: Published, kerawanan: Cli) -> None:
    nights, night = published
    assert not table(nights.store, "night_score")["is_withdrawn"].any()
    assert kerawanan("snapshots", "withdraw", night.snapshot_id, "--reason", "wrong", "--store", nights.store).code == 0
    assert table(nights.store, "night_score")["is_withdrawn"].all()


def test_no_night_is_computed_before_it_comes(published: Published, kerawanan: Cli) -> None:
    tomorrow = (datetime.now(ZoneInfo(TIME_ZONE)) + timedelta(days=1)).date()
    store = ("--store", published[0].store)
    several = ("--from", "2026-01-31", "--to", tomorrow, "--reason", "x", *store)
    for command in (("run", "--as-of", tomorrow, *store), ("backfill", *several), ("backfill", *several, "--execute")):
        answer = kerawanan(*command, "--edition", EDITION)
        assert (answer.code, f"the night of {tomorrow} has not come yet" in answer.err) == (2, True)


def test_runs_are_listed_and_shown(published: Published, kerawanan: Cli, tmp_path: Path) -> None:
    nights, night = published
    store = ("--store", nights.store)
    empty = tmp_path / "empty"
    assert kerawanan("run", "--edition", EDITION, "--as-of", "2020-01-01", *store).code == 2
    listed = kerawanan("runs", "list", *store, "--format", "json").json["runs"]
    assert [each["outcome"] for each in listed] == ["published", "failed"]
    assert listed[0]["run_id"] == night.snapshot_id
    assert listed[0]["seconds"] > 0
    assert "176" in kerawanan("runs", "list", "--edition", EDITION, *store).out
    assert "no edition 'other'" in kerawanan("runs", "list", "--edition", "other", *store).err
    assert "there is no store" in kerawanan("runs", "list", "--store", empty).err
    assert not empty.exists()
    shown = kerawanan("runs", "show", listed[1]["run_id"], *store)
    assert shown.code == 0
    assert "there is no figure for" in shown.out
    whole = kerawanan("runs", "show", night.snapshot_id, *store, "--format", "json").json
    assert set(whole["seconds"]) == {"admit", "validate", "prepare", "score", "judge", "publish"}
    assert datetime.fromisoformat(whole["started_at"]) == datetime(2026, 1, 31, 1, 1, tzinfo=UTC)
    unknown = kerawanan("runs", "show", "nope", *store)
    assert (unknown.code, "there is no such run" in unknown.err) == (2, True)


STEPS = ["admit", "validate", "prepare", "score", "judge", "publish"]


@pytest.mark.slow
def test_each_step_is_a_line_of_the_log(tmp_path: Path, kerawanan: Cli) -> None:
    night = ("run", "--edition", EDITION, "--store", tmp_path / "store", "--log", "json")
    inbox = ("--inbox", EXTRACTS, "--format", "json")
    ended = kerawanan(*night, *inbox)
    run_id = ended.json["run_id"]
    lines = [json.loads(line) for line in ended.err.splitlines()]
    assert [each.get("step") for each in lines] == [*STEPS, None]
    assert {(each["run_id"], each["edition"], each["as_of"], each["level"]) for each in lines} == {
        (run_id, EDITION, ended.json["as_of"], "INFO")
    }
    assert all(each["seconds"] >= 0 and each["outcome"] == "done" for each in lines[:-1])
    assert (lines[-1]["outcome"], lines[-1]["snapshot_id"]) == ("held" if ended.code == 3 else "published", run_id)
    failed = kerawanan(*night, "--inbox", tmp_path / "nowhere")
    *said, for_people = failed.err.splitlines()
    assert [(each["step"], each["outcome"]) for each in map(json.loads, said[:1])] == [("admit", "failed")]
    assert json.loads(said[-1])["reason"] == f"the inbox {tmp_path / 'nowhere'} is not a folder."
    assert for_people.startswith("kerawanan: the inbox")
    quiet = ("run", "--edition", EDITION, "--store", tmp_path / "store")
    assert kerawanan(*quiet).err == ""
    told = kerawanan(*quiet, "--inbox", tmp_path / "nowhere").err
    assert told == f"kerawanan: the inbox {tmp_path / 'nowhere'} is not a folder.\n"


KILLED = """
import os, signal, sys
from flows.night import steps
from flows.cli import main
def score(*_):
    os.kill(os.getpid(), signal.SIGKILL)
steps.score = score
main(sys.argv[1:])
"""


@pytest.mark.slow
def test_a_run_that_was_killed_is_known_as_such(published: Published, kerawanan: Cli) -> None:
    nights, _ = published
    store = ("--store", nights.store)
    night = ("run", "--edition", EDITION, "--as-of", "2026-01-31", "--inbox", EXTRACTS)
    for path in (nights.store / f"nights/{EDITION}").iterdir():
        path.unlink()  # so that there is something to compute
    command = [sys.executable, "-c", KILLED, *map(str, (*night, *store))]
    assert subprocess.run(command, cwd=ROOT, check=False, capture_output=True).returncode == -9
    killed = kerawanan("runs", "list", *store, "--format", "json").json["runs"][-1]
    assert (killed["outcome"], killed["reason"]) == (
        "killed",
        "its process ended during score; nothing more was written down.",
    )
    assert "killed" in kerawanan("runs", "show", killed["run_id"], *store).out
    assert kerawanan(*night, *store).code == 0
    assert table(nights.store, "run")["outcome"].to_list() == ["published", "killed", "unchanged"]
    # A day after it may be removed, like the record of any run that nothing rests on.
    opened = Store(str(nights.store))
    from warehouse.snapshots.prune import prune

    assert killed["run_id"] in prune(opened, datetime.now(UTC) + timedelta(days=2), 1, execute=True)["runs"]
    assert not opened.keys(f"runs/{killed['run_id']}/")


@pytest.mark.slow
def test_a_run_that_is_under_way_is_not_charted(nights: Nights, kerawanan: Cli) -> None:
    store, now = Store(str(nights.store)), datetime(2026, 1, 31, 1, tzinfo=UTC)
    night = date(2026, 1, 31)
    under_way = RunRecord(run_id="other", edition=EDITION, as_of=night, started_at=now.isoformat(), step="score")
    begin_run(store, under_way, now)
    listed = kerawanan("runs", "list", "--store", nights.store, "--format", "json").json["runs"]
    assert [each["outcome"] for each in listed] == ["killed"]  # more than a day ago
    nights.run()
    assert (platform.node(), os.getpid()) == tuple(
        json.loads(store.read("runs/other/begun.json"))[name] for name in ("host", "process")
    )
    assert table(nights.store, "run")["run_id"].to_list() == ["run-001"]


@pytest.mark.slow
def test_what_fails_after_a_night_was_written_down_changes_nothing_of_it(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StorageError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(record, "write_history", full)
        first = nights.run()
    assert (first.outcome, nights.record()["outcome"]) == ("published", "published")
    assert not (nights.store / "history").exists()
    with monkeypatch.context() as broken:
        broken.setattr(record, "write_run", full)
        with pytest.raises(StorageError):
            nights.run(None, as_of=date(2026, 2, 1))
    # The night is there, and the record of its run is not: it is not taken for one that found something.
    again = nights.run(None, as_of=date(2026, 2, 1))
    assert (again.outcome, again.snapshot_id) == ("unchanged", first.snapshot_id)
    assert table(nights.store, "run")["outcome"].to_list() == ["published", "unchanged"]


def test_a_note_that_cannot_be_read_stops_nobody(published: Published, kerawanan: Cli) -> None:
    nights, _ = published
    Store(str(nights.store)).replace("runs/torn/begun.json", b"")
    assert nights.run(None).outcome == "unchanged"
    (torn, *_) = kerawanan("runs", "list", "--store", nights.store, "--format", "json").json["runs"]
    assert (torn["run_id"], torn["outcome"]) == ("torn", "killed")
    assert "cannot be read" in kerawanan("runs", "show", "torn", "--store", nights.store).out
    assert kerawanan("runs", "list", "--store", nights.store).code == 0
    assert kerawanan("snapshots", "prune", "--store", nights.store).code == 0
