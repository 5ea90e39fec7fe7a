"""Which snapshot counts: the first good one, what a person or the gate promotes, what is withdrawn, what expires."""

import json
import os
import platform
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from schemas.errors import DamagedStore, StorageError, UsageError
from tests.conftest import EDITION, Answer, Published
from tests.warehouse.conftest import Storage
from tests.warehouse.drafts import Drafts
from warehouse.snapshots import channels
from warehouse.snapshots import publish as publish_module
from warehouse.snapshots.channels import append, give_up, head, keep, log_entries
from warehouse.snapshots.nights import ENTRY, NightRecord, stand_on
from warehouse.snapshots.promotion import promote, withdraw
from warehouse.snapshots.prune import prune
from warehouse.snapshots.publish import publish_snapshot
from warehouse.snapshots.runs import RunRecord, write_run
from warehouse.snapshots.snapshots import snapshots
from warehouse.snapshots.verify import verify
from warehouse.store.sealed import sealed
from warehouse.store.store import Store

Cli = Callable[..., Answer]
LATER = datetime(2026, 3, 1, tzinfo=UTC)


def stands(store: Store) -> tuple[str | None, str | None, str | None]:
    """What candidate and stable stand on, and of which snapshot the stable tables are."""
    store = Store(store.url)
    channels = []
    for channel in ("candidate", "stable"):
        entry, pointer = head(store, EDITION, channel), f"channels/{EDITION}/{channel}.json"
        told = json.loads(store.read(pointer))["snapshot_id"] if store.exists(pointer) else None
        assert told == (entry and entry["snapshot_id"])
        channels.append(told)
    folder = store.local(f"stable/v1/{EDITION}") if channels[1] else None
    shown = pl.read_parquet(folder / "index_score.parquet")["snapshot_id"].unique().to_list() if folder else [None]
    assert len(shown) == 1
    return channels[0], channels[1], shown[0]


def is_whole(store: Store) -> bool:
    found = verify(Store(store.url))
    assert found["damage"] == found["unfinished"] == []
    return True


def test_promoted_rolled_back_and_withdrawn(storage: Storage, drafts: Drafts, tmp_path: Path) -> None:
    store = drafts.with_raw(Store(storage.new()))
    publish_snapshot(store, drafts.draft)
    # The tables of all drafts say night-1: they are copies.
    assert stands(store) == ("night-1", "night-1", "night-1")
    publish_snapshot(store, drafts.other(tmp_path / "2", "night-2", 2, 1.0))
    publish_snapshot(store, drafts.other(tmp_path / "3", "night-3", 3, 2.0))
    assert stands(store)[:2] == ("night-3", "night-1")
    promote(store, "night-3", LATER, "looked at")
    promote(store, "night-2", LATER, "back: night-3 has a wrong figure")
    assert stands(store)[:2] == ("night-3", "night-2")
    entries = log_entries(store, EDITION, "stable")
    assert [each["snapshot_id"] for each in entries] == ["night-1", "night-3", "night-2"]
    assert entries[2]["reason"] == "back: night-3 has a wrong figure"
    assert is_whole(store)

    answer = withdraw(store, "night-2", LATER, "wrong as well")
    assert (answer["candidate"], answer["stable"]) == ("night-3", "night-3")
    with pytest.raises(UsageError, match=r"withdrawn .* before"):
        withdraw(store, "night-2", LATER, "again")
    with pytest.raises(UsageError, match=r"was withdrawn .* \(wrong as well\)"):
        promote(store, "night-2", LATER, "all the same")
    withdraw(store, "night-3", LATER, "wrong")
    assert stands(store)[:2] == ("night-1", "night-1")
    withdraw(store, "night-1", LATER, "all of it")
    assert stands(store) == (None, None, None)
    assert [each["snapshot_id"] for each in log_entries(store, EDITION, "stable")][-3:] == ["night-3", "night-1", None]
    told = {each["snapshot_id"]: each["withdrawn"] for each in snapshots(store)}
    assert told == {"night-1": "all of it", "night-2": "wrong as well", "night-3": "wrong"}
    mark = json.loads(store.read(f"snapshots/{EDITION}/night-2/WITHDRAWN.json"))
    assert mark["reason"] == "wrong as well"
    assert is_whole(store)

    # The same figures again stand on what was withdrawn, and make nothing of it.
    again = drafts.other(tmp_path / "4", "night-4", 4, 1.0)
    assert publish_snapshot(store, again)[::2] == ("night-2", False)
    assert stands(store) == (None, None, None)
    publish_snapshot(store, drafts.other(tmp_path / "5", "night-5", 5, 3.0))
    assert stands(store)[:2] == ("night-5", None)  # a person decides what is stable after that
    promote(store, "night-5", LATER, "right at last")
    assert stands(store)[1] == "night-5"
    assert is_whole(store)


def test_by_policy_the_gate_promotes_what_keeps_within_its_limits(drafts: Drafts, tmp_path: Path) -> None:
    store = drafts.with_raw(Store(str(tmp_path / "store")))
    publish_snapshot(store, drafts.draft)

    def published(number: int, day: int, **facts: bool) -> str | None:
        draft = drafts.other(tmp_path / str(number), f"night-{number}", day, float(number), "gate")
        for name, value in facts.items():
            object.__setattr__(draft, name, value)
        publish_snapshot(store, draft)
        return stands(store)[1]

    assert published(2, 2) == "night-2"
    assert published(3, 3, is_within_limits=False) == "night-2"
    assert published(4, 4, is_held=True) == "night-2"
    assert published(5, 5, is_synthetic=True) == "night-2"
    assert published(6, 6) == "night-6"
    assert published(7, 1) == "night-6"  # a replayed earlier night does not move it back
    reasons = [each["reason"] for each in log_entries(store, EDITION, "stable")]
    assert reasons == ["first good snapshot", "it breaks no rule of the gate", "it breaks no rule of the gate"]
    assert is_whole(store)


@pytest.mark.slow
def test_what_nothing_refers_to_expires(storage: Storage, drafts: Drafts, tmp_path: Path) -> None:
    store = drafts.with_raw(Store(storage.new()))
    publish_snapshot(store, drafts.draft)
    for number, day in ((2, 2), (3, 3), (4, 3), (5, 4), (6, 4), (7, 5)):
        draft = drafts.other(tmp_path / str(number), f"night-{number}", day, float(number))
        publish_snapshot(store, draft)
        write_run(store, RunRecord(run_id=draft.snapshot_id, started_at=draft.created.isoformat()), {})
    # No night stands on 3 and 5: theirs were run again. 3 was stable for a while, 5 was not.
    promote(store, "night-3", LATER, "r")
    promote(store, "night-2", LATER, "r")
    write_run(store, RunRecord(run_id="failed", started_at="2026-02-01T00:00:00+00:00"), {})
    write_run(store, RunRecord(run_id="failed-later", started_at=LATER.isoformat()), {})
    raw = store.keys("raw")
    nothing = prune(store, LATER, 60)
    assert (nothing["snapshots"], nothing["runs"]) == ([], [])
    planned = prune(store, LATER, 10)
    assert [each["snapshot_id"] for each in planned["snapshots"]] == ["night-5"]
    assert planned["runs"] == ["failed", "night-5"]
    assert not planned["is_done"]
    assert is_whole(store)
    assert store.exists(f"snapshots/{EDITION}/night-5/datapackage.json")
    done = prune(store, LATER, 10, execute=True)
    assert {**done, "is_done": False} == planned
    store = Store(store.url)
    assert not store.keys(f"snapshots/{EDITION}/night-5")
    assert not store.keys("runs/failed/")
    assert store.keys("runs/failed-later")
    assert store.keys("raw") == raw
    assert is_whole(store)
    assert prune(store, LATER, 10, execute=True)["snapshots"] == []
    with pytest.raises(UsageError, match="no such snapshot"):
        promote(store, "night-5", LATER, "r")
    # The same figures again are a new snapshot, as the one that is gone cannot be stood on.
    shutil.rmtree(tmp_path / "5")
    again = drafts.other(tmp_path / "5", "night-8", 6, 5.0)
    assert publish_snapshot(store, again)[::2] == ("night-8", True)
    assert is_whole(store)


def test_a_night_from_before_the_withdrawal_stands_where_it_stood(drafts: Drafts, tmp_path: Path) -> None:
    store = drafts.with_raw(Store(str(tmp_path / "store")))
    publish_snapshot(store, drafts.draft)
    withdraw(store, "night-1", LATER, "wrong")
    entry = log_entries(store, EDITION, "candidate")[0]
    night = NightRecord(EDITION, LATER.date(), LATER, "run-9", "digest", is_held=False)
    stand_on(store, night, {name: entry[name] for name in ENTRY}, "gate")
    assert stands(store) == (None, None, None)
    assert len(log_entries(store, EDITION, "candidate")) == 1
    assert is_whole(store)


def test_who_works_is_left_alone_and_who_is_gone_is_swept(drafts: Drafts, tmp_path: Path) -> None:
    store = drafts.with_raw(Store(str(tmp_path / "store")))
    for name, host, begun in (
        ("elsewhere", "another-machine", "2026-02-01T12:00:00+00:00"),
        ("elsewhere-long-ago", "another-machine", "2026-01-30T00:00:00+00:00"),
    ):
        store.create(f"snapshots/{EDITION}/{name}/tables/region.parquet", b"half")
        store.create(
            f"unfinished/{EDITION}/{name}.json",
            sealed({"begun_at": begun, "host": host, "process": 4711, "snapshot_id": name}),
        )
    found = verify(store)
    assert found["damage"] == []
    assert len(found["unfinished"]) == 2
    publish_snapshot(store, drafts.other(tmp_path / "2", "night-2", 2, 1.0))
    assert sorted({key.split("/")[2] for key in store.keys("snapshots")}) == ["elsewhere", "night-2"]
    assert store.keys("unfinished") == [f"unfinished/{EDITION}/elsewhere.json"]
    assert verify(Store(store.url))["damage"] == []


@pytest.mark.slow
def test_the_command_line_withdraws_says_so_and_prunes(published: Published, kerawanan: Cli) -> None:
    nights, night = published
    store = ("--store", nights.store)
    answer = kerawanan("snapshots", "withdraw", night.snapshot_id, "--reason", "typed twice", *store)
    assert answer.code == 0
    assert "stable of ikp-2024-published stands on nothing" in answer.out
    assert "WITHDRAWN" in kerawanan("snapshots", "list", *store).out
    assert "typed twice" in kerawanan("snapshots", "show", night.snapshot_id, *store).out
    again = kerawanan("run", "--edition", EDITION, "--as-of", "2026-01-31", *store)
    assert again.code == 0
    assert "nothing new" in again.out
    assert "WITHDRAWN" in again.out
    assert "a candidate" not in again.out
    refused = kerawanan("snapshots", "promote", night.snapshot_id, "--reason", "x", *store)
    assert (refused.code, "was withdrawn at" in refused.err) == (2, True)
    pruned = kerawanan("snapshots", "prune", "--keep-days", "1", *store)
    assert pruned.code == 0
    assert "would be removed" in pruned.out
    assert kerawanan("snapshots", "prune", "--keep-days", "0", *store).code == 2
    assert kerawanan("snapshots", "verify", *store).code == 0


def test_what_is_referred_to_is_not_pruned_and_what_is_pruned_not_referred_to(drafts: Drafts, tmp_path: Path) -> None:
    store = drafts.with_raw(Store(str(tmp_path / "store")))
    publish_snapshot(store, drafts.draft)
    keep(store, EDITION, "night-1")
    assert not give_up(store, EDITION, "night-1", LATER, None)
    publish_snapshot(store, drafts.other(tmp_path / "2", "night-2", 2, 1.0))
    assert give_up(store, EDITION, "night-2", LATER, None)
    for refer in (promote, withdraw):
        with pytest.raises(UsageError, match=r"was pruned|no such snapshot"):
            refer(store, "night-2", LATER, "r")
    assert stands(store)[:2] == ("night-1", "night-1")


def test_what_died_after_its_entry_is_brought_in_order_by_whoever_comes(drafts: Drafts, tmp_path: Path) -> None:
    store = drafts.with_raw(Store(str(tmp_path / "store")))
    publish_snapshot(store, drafts.draft)
    publish_snapshot(store, drafts.other(tmp_path / "2", "night-2", 2, 1.0))
    (entry,) = [each for each in log_entries(store, EDITION, "candidate") if each["snapshot_id"] == "night-2"]
    told = {name: entry[name] for name in (*ENTRY, "as_of")} | {"appended_at": LATER, "reason": "r"}
    append(store, EDITION, "stable", told)
    with pytest.raises(UsageError, match="is stable already"):
        promote(store, "night-2", LATER, "again")
    assert stands(store)[:2] == ("night-2", "night-2")
    for _ in range(2):  # two who withdraw at once
        append(store, EDITION, "withdrawn", told)
    with pytest.raises(UsageError, match=r"was withdrawn .* before"):
        withdraw(store, "night-2", LATER, "again")
    assert stands(store)[:2] == ("night-1", "night-1")
    assert is_whole(store)


def test_a_folder_where_the_link_was_is_replaced(drafts: Drafts, tmp_path: Path) -> None:
    store = drafts.with_raw(Store(str(tmp_path / "store")))
    publish_snapshot(store, drafts.draft)
    publish_snapshot(store, drafts.other(tmp_path / "2", "night-2", 2, 1.0))
    link = tmp_path / f"store/stable/v1/{EDITION}"
    tables = shutil.copytree(link, tmp_path / "copied")  # as tools leave it that follow links
    link.unlink()
    tables.rename(link)
    assert is_whole(store)
    promote(store, "night-2", LATER, "r")
    assert link.is_symlink()
    assert [each.name for each in link.parent.iterdir()] == [EDITION]
    assert is_whole(store)


def test_an_entry_that_is_missing_ends_the_night_and_does_not_hang_it(drafts: Drafts, tmp_path: Path) -> None:
    store = drafts.with_raw(Store(str(tmp_path / "store")))
    publish_snapshot(store, drafts.draft)
    for number in (2, 3):
        publish_snapshot(store, drafts.other(tmp_path / str(number), f"night-{number}", number, float(number)))
    store.delete(f"log/{EDITION}/candidate/000002.json")
    with pytest.raises(DamagedStore, match="entry 2 of the log is missing"):
        publish_snapshot(Store(store.url), drafts.other(tmp_path / "4", "night-4", 4, 4.0))


def test_the_gate_leaves_alone_what_a_person_left(drafts: Drafts, tmp_path: Path) -> None:
    store = drafts.with_raw(Store(str(tmp_path / "store")))
    publish_snapshot(store, drafts.draft)
    publish_snapshot(store, drafts.other(tmp_path / "2", "night-2", 2, 1.0, "gate"))
    assert stands(store)[1] == "night-2"
    promote(store, "night-1", LATER, "night-2 looks wrong")
    publish_snapshot(store, drafts.other(tmp_path / "3", "night-3", 3, 1.0, "gate"))  # the same figures once more
    assert stands(store)[1] == "night-1"
    held = drafts.other(tmp_path / "4", "night-4", 4, 2.0, "gate")
    publish_snapshot(store, replace(held, is_held=True))
    publish_snapshot(store, drafts.other(tmp_path / "5", "night-5", 5, 2.0, "gate"))
    assert stands(store)[1] == "night-1"
    assert is_whole(store)


def test_of_whom_nothing_is_known_is_over_after_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    note = {"host": platform.node(), "process": 1, "begun_at": "2026-02-01T00:00:00+00:00"}

    def denied(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", denied)
    assert not channels.is_over(note, datetime(2026, 2, 1, 23, tzinfo=UTC))
    assert channels.is_over(note, datetime(2026, 2, 2, 1, tzinfo=UTC))


def test_a_try_of_a_night_that_comes_after_another_night_is_as_good(
    drafts: Drafts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = drafts.with_raw(Store(str(tmp_path / "store")))
    publish_snapshot(store, drafts.draft)
    draft = drafts.other(tmp_path / "2", "night-2", 2, 1.0)

    def fails(*_: object, **__: object) -> None:
        raise StorageError("the storage does not do it")

    with monkeypatch.context() as patch:
        patch.setattr(publish_module, "move_to", fails)
        with pytest.raises(StorageError):
            publish_snapshot(store, draft)
    publish_snapshot(store, drafts.other(tmp_path / "3", "night-3", 3, 2.0))
    assert publish_snapshot(store, draft)[::2] == ("night-2", True)
    assert is_whole(store)
