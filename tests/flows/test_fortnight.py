"""A fortnight as it happens: late, duplicate, contradicting, missing and bad extracts, nights that were never run; and
the same fortnight replayed by a backfill, in another order and several nights at a time.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import EDITION, Answer, Nights
from tests.flows.fortnight import FORTNIGHT, arrive, night_of
from tests.flows.test_backfill import hashes
from warehouse.snapshots.channels import head, log_entries
from warehouse.snapshots.verify import verify
from warehouse.store.store import Store

Cli = Callable[..., Answer]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    """The fortnight, night by night."""
    nights = Nights(tmp_path_factory.mktemp("fortnight"))
    contents: dict[int, str] = {}
    for number, day in FORTNIGHT.items():
        arrive(Store(str(nights.store)), number, nights.folder)
        if day.outcome is None:
            continue
        night = nights.run(None, as_of=night_of(number))
        contents[number] = night.content_hash
        assert (number, night.outcome.replace("held", "published")) == (number, day.outcome)
        assert contents[number] == contents.get(day.like), number
        assert next(each for each, content in contents.items() if content == night.content_hash) == day.like
    return nights


@pytest.mark.slow
def test_it_leaves_exactly_what_is_predicted(lived: Nights) -> None:
    store = Store(str(lived.store))
    entries = log_entries(store, EDITION, "candidate")
    new = [number for number, day in FORTNIGHT.items() if day.outcome == "published"]
    # Going back after the withdrawal is an entry, and no snapshot.
    assert [int(each["as_of"][-2:]) for each in entries] == sorted([*new, 9])
    assert len({each["snapshot_id"] for each in entries}) == len(new)
    assert len(list((lived.store / f"snapshots/{EDITION}").iterdir())) == len(new)
    latest = head(store, EDITION, "candidate")
    assert latest is not None
    assert latest["as_of"] == "2026-01-14"
    found = verify(store)
    assert found["damage"] == found["unfinished"] == []


@pytest.mark.slow
def test_replayed_it_comes_to_the_same(lived: Nights, kerawanan: Cli, tmp_path: Path) -> None:
    there = hashes(lived.store)
    # Into the store as it is: only what was missed has to be written down.
    caught_up = ("--from", "2026-01-01", "--to", "2026-01-14", "--reason", "caught up", "--format", "json")
    plan = kerawanan("backfill", "--edition", EDITION, *caught_up, "--store", lived.store).json["plan"]
    states = {int(each["as_of"][-2:]): (each["state"], each["like"] and int(each["like"][-2:])) for each in plan}
    assert (states[7], states[12]) == (("stands", 6), ("stands", 11))
    # Into an empty store of the same extracts, several nights at a time.
    again = tmp_path / "again"
    shutil.copytree(lived.store / "raw", again / "raw")
    answer = kerawanan("backfill", "--edition", EDITION, *caught_up, "--store", again, "--execute", "--workers", 3)
    assert "failed" not in {each["outcome"] for each in answer.json["nights"]}
    replayed = hashes(again)
    assert {day: replayed[day] for day in there} == there
    for number, day in FORTNIGHT.items():
        assert replayed[f"2026-01-{number:02}"] == replayed[f"2026-01-{day.like:02}"]
    assert verify(Store(str(again)))["damage"] == []
