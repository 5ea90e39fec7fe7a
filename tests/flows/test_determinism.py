"""Same inputs, same content hash: whatever the order of rows, the threads, the working directory or the clock."""

import random
from pathlib import Path

import polars as pl
import pytest

from tests.conftest import EDITION, EXTRACTS, Nights, Published
from warehouse.engine.database import EngineLimits

FEW, MANY = 3, 20  # nights


def shuffled_inbox(folder: Path, seed: int) -> Path:
    """The bundled CSV extracts with their rows in another order, and the workbooks as they are."""
    folder.mkdir()
    for file in EXTRACTS.iterdir():
        content = file.read_bytes()
        if file.suffix == ".csv":
            header, *rows = content.decode().splitlines()
            random.Random(seed).shuffle(rows)
            content = "\n".join([header, *rows, ""]).encode()
        (folder / file.name).write_bytes(content)
    return folder


@pytest.mark.parametrize("rounds", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
def test_nights_say_the_same(rounds: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = set()
    for seed in range(rounds):
        place = tmp_path / f"place{seed}"
        place.mkdir()
        monkeypatch.chdir(place)
        inbox = shuffled_inbox(place / "inbox", seed)
        limits = EngineLimits(threads=seed % 4 + 1, memory_limit="200MB" if seed % 2 else None)
        nights = Nights(place)
        nights.count = seed  # another clock each time
        hashes.add(nights.run(inbox, limits=limits).content_hash)
    assert len(hashes) == 1


def test_again_is_unchanged_and_publishes_nothing(published: Published) -> None:
    nights, first = published
    before = sorted(str(path) for path in (nights.store / "snapshots").rglob("*"))
    again = nights.run()
    assert (first.outcome, again.outcome) == ("published", "unchanged")
    assert again.snapshot_id == first.snapshot_id
    assert sorted(str(path) for path in (nights.store / "snapshots").rglob("*")) == before
    assert len(list((nights.store / f"log/{EDITION}/candidate").iterdir())) == 1


def test_the_same_bytes_twice_are_one_extract(published: Published, inbox: Path) -> None:
    nights, first = published
    copy = inbox / "siaran-pers-provinsi-kiriman-ulang.csv"
    copy.write_bytes((inbox / "siaran-pers-provinsi-2022-12-16.csv").read_bytes())
    again = nights.run(inbox)
    assert again.outcome == "unchanged"
    assert again.content_hash == first.content_hash
    assert nights.record()["new_extract_count"] == 0


def test_one_changed_figure_is_a_new_snapshot_that_names_its_predecessor(published: Published, inbox: Path) -> None:
    nights, first = published
    press = inbox / "siaran-pers-provinsi-2022-12-16.csv"
    press.write_text(press.read_text().replace("Prov. Bali;Input provinsi;52,75", "Prov. Bali;Input provinsi;52,76"))
    second = nights.run(inbox)
    assert second.outcome == "published"
    assert second.content_hash != first.content_hash
    folder = nights.store / "snapshots" / EDITION
    manifest = pl.read_json(folder / second.snapshot_id / "datapackage.json").to_dicts()[0]["kerawanan"]
    assert manifest["predecessor"]["snapshot_id"] == first.snapshot_id
    assert manifest["predecessor"]["content_hash"] == first.content_hash
    assert len(manifest["inputs"]) == 8
    index = nights.table(second, "index_score").filter(region_code="51", approach="input")
    assert index["score"].to_list() == [52.76]
    replaced = nights.table(second, "quality_result").filter(check="replaced")
    assert replaced.select("subject", "observed", "expected").rows() == [
        ("51 Bali / input / ikp", "siaran-pers-provinsi 52.75", "52.76")
    ]
    told = nights.table(second, "observation").filter(region_code="51", approach="input", node_code="ikp")
    assert sorted(told["state"]) == ["superseded", "used"]
    # The new one is a candidate; what was stable stays so until it is promoted.
    stable = pl.read_parquet(nights.store / f"stable/v1/{EDITION}/index_score.parquet")
    assert set(stable["snapshot_id"]) == {first.snapshot_id}


@pytest.mark.slow
def test_a_night_sees_what_was_received_by_its_end(nights: Nights, inbox: Path) -> None:
    """Extracts received after the day has ended in Jakarta belong to the next night."""
    from datetime import UTC, date, datetime

    from flows.night.intake import take_in
    from schemas.methodology.library import Library
    from warehouse.store.store import Store

    sources = Library().sources
    files = sorted(inbox.iterdir())
    late = [file for file in files if file.name.startswith("media")]
    early = [file for file in files if file not in late]
    store = Store(str(nights.store))
    before_midnight = datetime(2026, 1, 10, 16, 59, 59, tzinfo=UTC)  # 23:59:59 in Jakarta
    after_midnight = datetime(2026, 1, 10, 17, 0, 0, tzinfo=UTC)
    take_in(store, early, sources, before_midnight, before_midnight)
    take_in(store, late, sources, after_midnight, after_midnight)
    night = nights.run(inbox=None, as_of=date(2026, 1, 10))
    assert nights.record()["later_extract_count"] == 1
    assert nights.table(night, "index_score").filter(region_code="31.71")["score"].to_list() == [None]
    following = nights.run(inbox=None, as_of=date(2026, 1, 11))
    assert nights.record()["later_extract_count"] == 0
    assert following.content_hash != night.content_hash
    replay = nights.run(inbox=None, as_of=date(2026, 1, 10))
    assert replay.content_hash == night.content_hash
