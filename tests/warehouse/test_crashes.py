"""An interrupted run leaves readers on a whole snapshot, and the next run brings the rest in order."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import EDITION, EXTRACTS, Answer, Nights, Published
from warehouse.store import Store

Cli = Callable[..., Answer]


def deaths(nights: Nights, folder: Path, step: int, monkeypatch: pytest.MonkeyPatch) -> tuple[int, dict[int, Nights]]:
    """Run a night. How many writes it made, and what a process leaves that dies just before one of them: the store as
    it lies there then, copied before the first write and every `step`th one after it, by the number of that write.
    """
    count = 0
    left: dict[int, Nights] = {}

    def counted(method: Callable[..., Any]) -> Callable[..., Any]:
        def write(*arguments: Any) -> Any:
            nonlocal count
            count += 1
            if (count - 1) % step == 0:
                left[count] = nights.copied(folder / f"{count}")
            return method(*arguments)

        return write

    with monkeypatch.context() as patch:
        for verb in ("create", "replace", "switch"):
            patch.setattr(Store, verb, counted(getattr(Store, verb)))
        nights.run()
    return count, left


@pytest.mark.parametrize("step", [9, pytest.param(1, marks=pytest.mark.slow)])
def test_killed_at_any_write_the_next_night_converges(
    step: int, nights: Nights, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, kerawanan: Cli
) -> None:
    total, left = deaths(nights, tmp_path_factory.mktemp("hurt"), step, monkeypatch)
    expected = nights.run().content_hash
    assert total > 30
    assert list(left) == list(range(1, total + 1, step))
    for deadly, hurt in left.items():
        stable = hurt.store / "stable/v1" / EDITION
        if stable.exists():
            assert len(list(stable.iterdir())) == 12
        night = hurt.run(EXTRACTS)
        assert night.content_hash == expected
        assert len(list(stable.iterdir())) == 12
        whole = [path.parent.name for path in hurt.store.glob(f"snapshots/{EDITION}/*/datapackage.json")]
        for snapshot in whole:
            assert kerawanan("snapshots", "verify", snapshot, "--store", hurt.store).code == 0, (deadly, snapshot)


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
