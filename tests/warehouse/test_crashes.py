"""An interrupted run leaves readers on a whole snapshot, and the next run brings the rest in order."""

import contextlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import EDITION, EXTRACTS, Answer, Nights
from warehouse.store import Store

Cli = Callable[..., Answer]


class Killed(BaseException):
    """Stands for the death of the process."""


def writes_of_a_night(nights: Nights, monkeypatch: pytest.MonkeyPatch, deadly: int | None) -> int:
    """Run a night whose write number `deadly` does not happen, nor any after it; how many writes there were."""
    count = 0

    def counted(method: Callable[..., Any]) -> Callable[..., Any]:
        def write(*arguments: Any) -> Any:
            nonlocal count
            count += 1
            if deadly is not None and count >= deadly:
                raise Killed
            return method(*arguments)

        return write

    with monkeypatch.context() as patch:
        for verb in ("create", "replace", "switch"):
            patch.setattr(Store, verb, counted(getattr(Store, verb)))
        with contextlib.suppress(Killed):
            nights.run()
    return count


@pytest.mark.parametrize("step", [9, pytest.param(1, marks=pytest.mark.slow)])
def test_killed_at_any_write_the_next_night_converges(
    step: int, nights: Nights, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, kerawanan: Cli
) -> None:
    total = writes_of_a_night(nights, monkeypatch, None)
    expected = nights.run().content_hash
    assert total > 30
    for deadly in range(1, total + 1, step):
        hurt = Nights(tmp_path_factory.mktemp("hurt"))
        writes_of_a_night(hurt, monkeypatch, deadly)
        stable = hurt.store / "stable/v1" / EDITION
        if stable.exists():
            assert len(list(stable.iterdir())) == 8
        night = hurt.run(EXTRACTS)
        assert night.content_hash == expected
        assert len(list(stable.iterdir())) == 8
        whole = [path.parent.name for path in hurt.store.glob(f"snapshots/{EDITION}/*/datapackage.json")]
        for snapshot in whole:
            assert kerawanan("snapshots", "verify", snapshot, "--store", hurt.store).code == 0, (deadly, snapshot)


def test_verify_names_what_happened_to_the_store(nights: Nights, kerawanan: Cli) -> None:
    import shutil

    night = nights.run()

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
