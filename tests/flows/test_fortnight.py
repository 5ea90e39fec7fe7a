"""A fortnight as it happens: late, duplicate, contradicting, missing and bad extracts, nights that were never run; and
the same fortnight replayed by a backfill, in another order and several nights at a time.
"""

import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from flows.intake import source_of, take_in
from schemas.methodology import Library
from tests.conftest import EDITION, EXTRACTS, Answer, Nights
from tests.flows.test_backfill import hashes
from warehouse.channels import head, log_entries
from warehouse.raw_store import extract_called, withdraw_extract
from warehouse.store import Store
from warehouse.verify import verify

Cli = Callable[..., Answer]
PRESS = "siaran-pers-provinsi-2022-12-16.csv"


def sent(name: str, *changes: tuple[str, str]) -> bytes:
    """A bundled extract, with some of its text replaced."""
    content = (EXTRACTS / name).read_bytes()
    for before, after in changes:
        assert before.encode() in content
        content = content.replace(before.encode(), after.encode())
    return content


class Day(NamedTuple):
    """What arrives on a day (file name and content), and what the night of it comes to: its outcome, and the day whose
    content it has (its own, where it is new). `None` for a night that is not run.
    """

    files: dict[str, bytes]
    outcome: str | None
    like: int
    withdrawn: str | None = None


FORTNIGHT = {
    1: Day({PRESS: sent(PRESS), "buku-ikp-2024.csv": sent("buku-ikp-2024.csv")}, "published", 1),
    2: Day({}, "unchanged", 1),
    3: Day({"media-kabkota.xlsx": sent("media-kabkota.xlsx")}, "published", 3),
    4: Day({"media-kabkota-lagi.xlsx": sent("media-kabkota.xlsx")}, "unchanged", 3),  # the same bytes once more
    5: Day({"dimensi-provinsi.csv": b"Provinsi;Apa;Ini\nAceh;1;2\n"}, "unchanged", 3),  # refused whole
    6: Day({"dimensi-provinsi.csv": sent("dimensi-provinsi.csv")}, "published", 6),  # late
    7: Day({}, None, 6),
    8: Day({"siaran-pers-provinsi-salah.csv": sent(PRESS, ("88,95", "8,95"))}, "published", 8),  # contradicts itself
    9: Day({}, "unchanged", 6, withdrawn="siaran-pers-provinsi-salah.csv"),
    10: Day({"siaran-pers-provinsi-rusak.csv": sent(PRESS, ("88,95", "8895"))}, "published", 10),  # one row quarantined
    11: Day({"rerata-nasional-2022-12-16.csv": sent("rerata-nasional-2022-12-16.csv")}, "published", 11),
    12: Day({}, None, 11),
    13: Day({}, "unchanged", 11),
    14: Day({"cetakan-lain-kabkota.xlsx": sent("cetakan-lain-kabkota.xlsx")}, "published", 14),  # contradicts others
}


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    """The fortnight, night by night."""
    nights = Nights(tmp_path_factory.mktemp("fortnight"))
    store, sources = Store(str(nights.store)), Library().sources
    contents: dict[int, str] = {}
    for number, day in FORTNIGHT.items():
        at = datetime(2026, 1, number, 3, tzinfo=UTC)
        inbox = nights.folder / f"inbox-{number}"
        inbox.mkdir()
        for name, content in day.files.items():
            (inbox / name).write_bytes(content)
            take_in(store, [inbox / name], sources, at, at, source_of(name, sources))
        if day.withdrawn:
            withdraw_extract(store, extract_called(store, day.withdrawn), "typed wrongly", at)
        if day.outcome is None:
            continue
        night = nights.run(None, as_of=date(2026, 1, number))
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
