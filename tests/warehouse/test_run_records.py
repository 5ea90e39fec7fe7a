"""A run has one record, typed, that is written and read in one place; what other versions wrote stays readable."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from flows.night.record import Journal, Step, T
from flows.night.steps import STEPS, admit, judge, prepare, publish, score, validate
from flows.results.answer import plain
from schemas.errors import DamagedStore
from schemas.methodology.library import Library
from schemas.sentence import Sentence
from warehouse.snapshots.history import STEP_SECONDS, run_row
from warehouse.snapshots.runs import Input, RunRecord, begin_run, read_run, run_records, write_run
from warehouse.store.store import Store

NOW = datetime(2026, 1, 31, 1, tzinfo=UTC)
# As versions before this one wrote it: no Indonesian, and a field that nobody knows any more.
OLD: dict[str, Any] = {
    "run_id": "old",
    "edition": "ikp-2024-published",
    "as_of": "2026-01-30",
    "started_at": "2026-01-31T01:00:00.123456+00:00",
    "outcome": "held",
    "snapshot_id": "old",
    "content_hash": "abc",
    "reason": "Nothing came in.",
    "inputs": [
        {"source": "a", "file_name": "a.csv", "size": 7, "sha256": "aa", "received_at": "2026-01-30T00:00:00+07:00",
         "admitted_at": "2026-01-30T00:00:00+00:00", "is_synthetic": False, "rows": 5, "rows_admitted": 3, "sheets": 2}
    ],
    "refused": [{"file_name": "b.csv", "reason": "it is a folder; name the file itself."}],
    "findings": {"warning": 1},
    "new_extract_count": 1,
    "seconds": {"admit": 0.5, "settle": 1.25},
    "weather": "dry",
}  # fmt: skip


def test_an_old_record_is_read_and_nothing_of_it_is_lost(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    (tmp_path / "runs/old").mkdir(parents=True)
    (tmp_path / "runs/old/run.json").write_text(json.dumps(OLD))
    (record,) = run_records(store, NOW)
    assert (record.as_of, record.rows, record.rows_admitted) == (date(2026, 1, 30), 5, 3)
    assert record.why == Sentence("Nothing came in.", "Nothing came in.")
    assert record.refused[0].why.id == "it is a folder; name the file itself."
    assert json.loads(json.dumps(plain(record), default=str)) == OLD
    assert json.loads(record.written()) == OLD
    assert run_row(record, STEPS).seconds == 1.75


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    read = Input(source="a", file_name="a.csv", sha256="aa", received_at=NOW.isoformat(), rows=2, rows_admitted=2)
    record = RunRecord(run_id="new", started_at=NOW.isoformat(), edition="e", as_of=NOW.date(), inputs=(read,))
    begin_run(store, record.model_copy(update={"step": "score"}), NOW)
    assert run_records(store, NOW)[0].outcome == "running"
    write_run(store, record, {})
    assert read_run(store, "new") == record
    assert [each.run_id for each in run_records(store, NOW)] == ["new"]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"run_id": 1, "started_at": ""}', '{"run_id": "x", "inputs": 7}'])
def test_a_record_that_is_none_is_damage(content: str, tmp_path: Path) -> None:
    (tmp_path / "runs/x").mkdir(parents=True)
    (tmp_path / "runs/x/run.json").write_text(content)
    with pytest.raises(DamagedStore, match="the record of the run cannot be read"):
        run_records(Store(str(tmp_path)), NOW)


def test_steps_are_named_by_their_functions_alone() -> None:
    assert STEPS == ("admit", "validate", "prepare", "score", "judge", "publish")
    columns = Library().dictionary.tables["run"].columns
    assert [f"{STEP_SECONDS}{step}" for step in STEPS] == [each for each in columns if each.startswith(STEP_SECONDS)]


def test_a_step_gives_what_its_function_gives() -> None:
    assert get_type_hints(Journal.take)["return"] is T
    assert get_type_hints(Step.__call__)["return"] is T
    for step in (admit, validate, prepare, score, judge, publish):
        assert get_type_hints(step)["return"] is not Any, step
