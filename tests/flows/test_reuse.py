"""What was done before is not done again, and nothing of it can change unnoticed."""

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flows.night import steps as pipeline
from flows.readers.pool import Readers
from schemas.methodology.library import Library
from tests.conftest import EDITION, EXTRACTS, Nights, Published
from warehouse import code
from warehouse.engine.engine import score_tables

PRESS = "siaran-pers-provinsi-2022-12-16.csv"


def another_figure(inbox: Path) -> None:
    press = inbox / PRESS
    press.write_text(press.read_text().replace("Bali;Input provinsi;52,75", "Bali;Input provinsi;52,76"))


class Counted:
    """A function that tells how often it was called."""

    def __init__(self, function: Any) -> None:
        self.function, self.calls = function, 0

    def __call__(self, *arguments: Any) -> Any:
        self.calls += 1
        return self.function(*arguments)


@pytest.fixture
def parsing(monkeypatch: pytest.MonkeyPatch) -> Counted:
    counted = Counted(Readers.rows)
    monkeypatch.setattr(Readers, "rows", lambda *given: counted(*given))
    return counted


@pytest.fixture
def scoring(monkeypatch: pytest.MonkeyPatch) -> Counted:
    counted = Counted(score_tables)
    monkeypatch.setattr(pipeline, "score_tables", counted)
    return counted


def test_a_night_parses_only_what_is_new(nights: Nights, inbox: Path, parsing: Counted) -> None:
    nights.run()
    assert parsing.calls == len(list(EXTRACTS.iterdir()))
    another_figure(inbox)
    second = nights.run(inbox)
    assert parsing.calls == len(list(EXTRACTS.iterdir())) + 1
    assert second.outcome == "published"


@pytest.mark.slow
def test_rows_read_from_the_cache_are_the_rows_of_the_extract(
    published: Published, tmp_path: Path, inbox: Path
) -> None:
    nights, _ = published
    cold = nights.copied(tmp_path / "cold")
    (inbox / PRESS).write_text(
        (inbox / PRESS).read_text().replace("Bali;Input provinsi;52,75", "Bali;Input provinsi;1")
    )
    warm = nights.run(inbox)
    for kept in (cold.store / "cache").rglob("*"):
        if kept.is_file():
            kept.unlink()
    assert cold.run(inbox).content_hash == warm.content_hash


@pytest.mark.slow
def test_a_kept_file_that_was_changed_is_read_again(published: Published, inbox: Path, parsing: Counted) -> None:
    nights, _ = published
    for kept in (nights.store / "cache").rglob("*"):
        if kept.is_file():
            whole = bytearray(kept.read_bytes())
            whole[len(whole) // 2] ^= 1
            kept.write_bytes(bytes(whole))
    (inbox / PRESS).write_text(
        (inbox / PRESS).read_text().replace("Bali;Input provinsi;52,75", "Bali;Input provinsi;1")
    )
    nights.run(inbox)
    assert parsing.calls == len(list(EXTRACTS.iterdir())) + 1


@pytest.mark.slow
def test_another_source_entry_reads_anew(published: Published, own_methodology: Path, parsing: Counted) -> None:
    nights, _ = published
    sources = own_methodology / "sources.yml"
    sources.write_text(sources.read_text().replace("  precedence: 40\n", "  precedence: 41\n"))
    nights.run(methodology=own_methodology)
    changed = [name for name, each in Library().edition(EDITION).sources.items() if each.precedence == 40]
    assert parsing.calls == len(changed) > 0


@pytest.mark.slow
def test_the_same_inputs_are_not_computed_twice(nights: Nights, scoring: Counted) -> None:
    first = nights.run()
    again = nights.run()
    later = nights.run(as_of=date(2026, 2, 3))
    assert scoring.calls == 1
    assert (again.outcome, later.outcome) == ("unchanged", "unchanged")
    assert again.snapshot_id == later.snapshot_id == first.snapshot_id
    record = nights.record()
    assert record["same_inputs_as_run"] == "run-002"
    assert record["findings"]
    assert len(record["inputs"]) == 7
    for name in ("gate.html", "quality_result.parquet", "quarantine.parquet"):
        copies = [(nights.store / f"runs/run-{number:03}/{name}").read_bytes() for number in (1, 2, 3)]
        assert len(set(copies)) == 1
    assert {path.name for path in (nights.store / f"nights/{EDITION}").iterdir()} == {
        "2026-01-31.json",
        "2026-02-03.json",
    }


@pytest.mark.slow
def test_other_code_another_methodology_or_a_held_night_is_computed(
    published: Published, own_methodology: Path, scoring: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    nights, _ = published
    edition = own_methodology / f"editions/{EDITION}/edition.yml"
    edition.write_text(edition.read_text().replace("revision: 1", "revision: 2"))
    nights.run(methodology=own_methodology)
    assert scoring.calls == 1
    nights.run(methodology=own_methodology)
    assert scoring.calls == 1
    gate = own_methodology / "gate.csv"
    gate.write_text(gate.read_text() + "none,known_share,regency_city,input,,,1,,critical,\n")
    held = [nights.run(methodology=own_methodology).outcome for _ in range(2)]
    assert (held, scoring.calls) == (["held", "held"], 3)
    monkeypatch.setattr("flows.night.request.code_identity", lambda: {**code.code_identity(), "sha256": "other"})
    nights.run()
    assert scoring.calls == 4


def test_what_a_person_sees_of_an_unchanged_night_is_what_was_found(published: Published) -> None:
    nights, first = published
    nights.run()
    found = pl.read_parquet(nights.store / "runs/run-002/quality_result.parquet")
    assert found.equals(nights.table(first, "quality_result"))
