"""A process that dies at any moment leaves readers on a whole snapshot, and the next one brings the rest in order."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import obstore
import pytest

from schemas.errors import UsageError
from tests.conftest import EDITION, EXTRACTS, Answer, Nights, Published
from tests.warehouse.conftest import Storage
from tests.warehouse.drafts import Drafts
from warehouse.snapshots.channels import head, log_entries
from warehouse.snapshots.promotion import promote, withdraw
from warehouse.snapshots.prune import prune
from warehouse.snapshots.publish import publish_snapshot
from warehouse.snapshots.runs import RunRecord, write_run
from warehouse.snapshots.snapshots import snapshots
from warehouse.snapshots.verify import verify
from warehouse.store import store as storage_module
from warehouse.store.store import Store

Cli = Callable[..., Answer]
LATER = datetime(2026, 3, 1, tzinfo=UTC)
MUCH_LATER = datetime(2026, 4, 1, tzinfo=UTC)


class Death(NamedTuple):
    """A store as a process leaves it that dies at a moment of its work."""

    moment: str
    url: str


def deaths(
    storage: Storage, url: str, work: Callable[[str], object], step: int, patch: pytest.MonkeyPatch
) -> list[Death]:
    """Do a work, and the store as it lies at every `step`th moment of it: before each write, copy, rename and delete
    (which is after the one before), and in the midst of it, where that leaves anything.
    """
    left: list[Death] = []
    count = 0

    def keep(moment: str, spoil: Callable[[Path], object] | None = None) -> None:
        nonlocal count
        count += 1
        if (count - 1) % step == 0:
            copy = storage.copied(url)
            if spoil:
                spoil(Path(copy))
            left.append(Death(f"{count}: {moment}", copy))

    class Counted:
        """obstore, with every change to a store seen."""

        def __getattr__(self, name: str) -> Any:
            return getattr(obstore, name)

        def put(self, objects: Any, key: str, content: bytes, **more: Any) -> Any:
            keep(f"before the write of {key}")
            if not storage.is_remote:
                keep(f"in the write of {key}", lambda root: half(root / key, content))
            return obstore.put(objects, key, content, **more)

        def copy(self, objects: Any, source: str, key: str) -> Any:
            keep(f"before the copy to {key}")
            return obstore.copy(objects, source, key)

        def delete(self, objects: Any, key: str) -> Any:
            keep(f"before the delete of {key}")
            return obstore.delete(objects, key)

    link = Store._link

    def linked(self: Store, key: str, target: str | None) -> None:
        keep(f"before the switch of {key}")
        keep(f"in the switch of {key}", lambda root: dangling(root / key))
        link(self, key, target)

    with patch.context() as context:
        context.setattr(storage_module, "obstore", Counted())
        context.setattr(Store, "_link", linked)
        work(url)
    keep("at the end") if (count % step) == 0 else left.append(Death("at the end", storage.copied(url)))
    return left


def half(file: Path, content: bytes) -> None:
    """What a write to a folder leaves that ends in its midst."""
    file.parent.mkdir(parents=True, exist_ok=True)
    staged = file.with_name(f"{file.name}#1")
    staged.write_bytes(content[: len(content) // 2])
    os.utime(staged, (0, 0))


def dangling(link: Path) -> None:
    """What a switch leaves that ends in its midst."""
    link.parent.mkdir(parents=True, exist_ok=True)
    fresh = link.with_name(f".{link.name}.4711")
    fresh.symlink_to("nowhere", target_is_directory=True)
    os.utime(fresh, (0, 0), follow_symlinks=False)


def readers_see(store: Store) -> None:
    """What channels and stable tables show is whole."""
    for pointer in store.keys("channels"):
        entry = json.loads(store.read(pointer))
        base = f"snapshots/{EDITION}/{entry['snapshot_id']}"
        content = store.read(f"{base}/datapackage.json")
        assert hashlib.sha256(content).hexdigest() == entry["manifest_sha256"]
        for each in json.loads(content)["resources"]:
            found = hashlib.sha256(store.read(f"{base}/{each['path']}")).hexdigest()
            assert each["hash"] == f"sha256:{found}"
    folder = Path(store.url) / "stable/v1" / EDITION
    if not store.is_remote and folder.is_symlink():
        assert len(list(folder.iterdir())) == 14


def leftovers(store: Store) -> list[str]:
    """What nobody needs: half snapshots, notes of work, staged writes."""
    named = {each["snapshot_id"] for each in log_entries(store, EDITION, "candidate")}
    left = [key for key in store.keys("snapshots") if key.split("/")[2] not in named]
    left += store.keys("unfinished")
    if not store.is_remote:
        left += [str(each) for each in Path(store.url).rglob("*#*")]
        left += [str(each) for each in (Path(store.url) / "stable").rglob(".*")]
    return left


def told(store: Store) -> dict[str, Any]:
    """What a store says, whatever way it came there."""
    heads = {channel: head(store, EDITION, channel) for channel in ("candidate", "stable")}
    return {
        "heads": {channel: entry and entry["content_hash"] for channel, entry in heads.items()},
        "snapshots": sorted((each["content_hash"], str(each["withdrawn"])) for each in snapshots(store)),
    }


class Works(NamedTuple):
    """A state of the store, and a work upon it that can be done again."""

    before: Callable[[Store], object]
    work: Callable[[Store], object]


def works(drafts: Drafts, folder: Path) -> dict[str, Works]:
    second = drafts.other(folder / "2", "night-2", 2, 1.0, "gate")
    third = drafts.other(folder / "3", "night-3", 2, 2.0)

    def first(store: Store) -> None:
        publish_snapshot(drafts.with_raw(store), drafts.draft)

    def two(store: Store) -> None:
        first(store)
        publish_snapshot(store, third)

    def three(store: Store) -> None:
        two(store)
        publish_snapshot(store, second)
        write_run(store, RunRecord(run_id="failed", started_at="2026-02-01T00:00:00+00:00"), {})

    def promoted(store: Store) -> None:
        two(store)
        promote(store, "night-3", LATER, "r")

    def may(work: Callable[[], object]) -> None:
        """Do a work that may have been done already."""
        with suppress(UsageError):
            work()

    return {
        "the first night": Works(drafts.with_raw, lambda store: publish_snapshot(store, drafts.draft)),
        "a later night": Works(first, lambda store: publish_snapshot(store, second)),
        "promote": Works(two, lambda store: may(lambda: promote(store, "night-3", LATER, "r"))),
        "withdraw": Works(
            promoted,
            lambda store: may(lambda: withdraw(store, "night-3", LATER, "r")),
        ),
        "prune": Works(three, lambda store: prune(store, LATER, 10, execute=True)),
    }


NAMES = ("the first night", "a later night", "promote", "withdraw", "prune")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("step", [11, pytest.param(1, marks=pytest.mark.slow)])
def test_killed_at_any_moment(
    name: str,
    step: int,
    storage: Storage,
    drafts: Drafts,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    if storage.name == "seaweedfs":
        step = 5 * step
    elif storage.name == "moto" and step > 1:
        step = 3 * step
    before, work = works(drafts, tmp_path)[name]
    store = Store(storage.new())
    before(store)
    left = deaths(storage, store.url, lambda url: work(Store(url)), step, monkeypatch)
    expected = told(Store(store.url))
    sweeping = replace(drafts.draft, as_of=MUCH_LATER.date(), created=MUCH_LATER, snapshot_id="much-later")
    record_property("points", len(left))
    for moment, url in left:
        hurt = Store(url)
        readers_see(hurt)
        if hurt.keys("unfinished"):
            assert verify(hurt)["damage"] == [], moment
        # Who does it again is another process, a month later.
        publish_snapshot(Store(url), sweeping)
        work(Store(url))
        again = Store(url)
        readers_see(again)
        assert leftovers(again) == [], moment
        found = verify(again)
        assert found["damage"] == found["unfinished"] == [], moment
        assert told(again)["heads"]["stable"] == expected["heads"]["stable"], moment
        assert told(again)["snapshots"] == expected["snapshots"], moment
        if not storage.is_remote:
            shutil.rmtree(url)


# A night writes at about 240 moments, and each is a night done again: every moment would take 18 minutes.
@pytest.mark.parametrize("step", [61, pytest.param(5, marks=pytest.mark.slow)])
def test_killed_at_any_write_of_a_night(
    step: int, nights: Nights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Callable[..., None]
) -> None:
    storage = Storage("folder", tmp_path / "hurt")
    left = deaths(storage, str(nights.store), lambda _: nights.run(), step, monkeypatch)
    expected = nights.run().content_hash
    record_property("points", len(left))
    assert len(left) * step > 60
    for number, (moment, url) in enumerate(left):
        readers_see(Store(url))
        if Store(url).keys("unfinished"):
            assert verify(Store(url))["damage"] == [], moment
        hurt = Nights(tmp_path / f"again-{number}")
        hurt.folder.mkdir()
        hurt.count = 1
        shutil.move(url, hurt.store)
        night = hurt.run(EXTRACTS)
        assert night.content_hash == expected, moment
        assert verify(Store(str(hurt.store)))["damage"] == [], moment
        readers_see(Store(str(hurt.store)))
        shutil.rmtree(hurt.folder)


def test_verify_names_what_happened_to_the_store(published: Published, kerawanan: Cli) -> None:
    nights, night = published

    def told(expected: str) -> None:
        answer = kerawanan("snapshots", "verify", "--store", nights.store)
        assert answer.code == 1
        assert expected in answer.out, answer.out

    raw = next(path for path in (nights.store / "raw/sha256").rglob("*") if path.is_file())
    content = raw.read_bytes()
    raw.write_bytes(content + b" ")
    told("the extract is not the one that was received")
    again = kerawanan("run", "--edition", EDITION, "--store", nights.store)
    assert again.code == 1
    assert "is not the one that was received" in again.err
    raw.unlink()
    told("the extract is missing")
    raw.write_bytes(content)
    pointer = nights.store / f"channels/{EDITION}/candidate.json"
    saved = pointer.read_text()
    pointer.write_text("{")
    told("the pointer does not say what the log says")
    pointer.write_text(saved)
    assert kerawanan("snapshots", "verify", night.snapshot_id[:5], "--store", nights.store).code == 0
    shutil.rmtree(nights.store / "snapshots")
    told("is missing")
