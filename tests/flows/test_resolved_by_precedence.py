"""Corrections, contradictions and repetitions: resolved by declaration, never by chance."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from flows.night.intake import take_in
from schemas.methodology.library import Library
from tests.conftest import EDITION, EXTRACTS, Nights, Published
from warehouse.store.store import Store

PRESS = "siaran-pers-provinsi-2022-12-16.csv"
HEADER = "Provinsi;Variabel;Skor;Alamat sumber\n"


def findings(nights: Nights, snapshot: object, check: str) -> list[str]:
    return nights.table(snapshot, "quality_result").filter(check=check)["message_en"].to_list()  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_mended_source_is_welcome(published: Published, inbox: Path) -> None:
    nights, _ = published
    press = inbox / PRESS
    press.write_text(
        press.read_text().replace("Kalimantan Timur;Input provinsi;77,04", "Kalimantan Timur;Input provinsi;74,04")
    )
    night = nights.run(inbox)
    assert night.outcome != "held"
    assert nights.table(night, "index_score").filter(region_code="64", approach="input")["score"].to_list() == [74.04]
    assert findings(nights, night, "correction_fulfilled")
    assert findings(nights, night, "correction_applied")  # of the extract received first


@pytest.mark.slow
def test_a_correction_speaks_of_a_region_however_it_is_spelt(nights: Nights, inbox: Path) -> None:
    (inbox / "buku-ikp-2024.csv").unlink()
    press = inbox / PRESS
    press.write_text(press.read_text().replace("Prov. Kalimantan Timur;Input", "KALTIM;input"))
    night = nights.run(inbox)
    assert findings(nights, night, "correction_applied")
    assert nights.table(night, "index_score").filter(region_code="64", approach="input")["score"].to_list() == [74.04]


@pytest.mark.slow
def test_a_correction_that_finds_no_row_says_so(nights: Nights, inbox: Path) -> None:
    press = inbox / PRESS
    lines = [line for line in press.read_text().splitlines() if "Kalimantan Timur;Input" not in line]
    press.write_text("\n".join(lines) + "\n")
    night = nights.run(inbox)
    told = findings(nights, night, "correction_unused")
    assert len(told) == 1
    assert "kaltim-press-release-2022-12-16" in told[0]


@pytest.mark.slow
def test_a_correction_can_mend_what_is_no_number(nights: Nights, inbox: Path, own_methodology: Path) -> None:
    corrections = own_methodology / "corrections.yml"
    corrections.write_text(corrections.read_text().replace('expect: "77,04"', 'expect: "tujuh puluh tujuh"'))
    press = inbox / PRESS
    press.write_text(
        press.read_text().replace(
            "Kalimantan Timur;Input provinsi;77,04", "Kalimantan Timur;Input provinsi;Tujuh  puluh tujuh"
        )
    )
    night = nights.run(inbox, methodology=own_methodology)
    assert night.outcome == "published"
    told = nights.table(night, "observation").filter(region_code="64", approach="input", node_code="ikp")
    assert sorted(told.select("value_sent", "value", "state").rows(), key=str) == [
        (74.04, 74.04, "used"),
        (None, 74.04, "confirming"),
    ]
    press.write_text(press.read_text().replace("Tujuh  puluh tujuh", "entah"))
    assert nights.run(inbox, methodology=own_methodology).outcome == "held"


@pytest.mark.slow
def test_extracts_of_the_same_worth_and_time_that_differ_are_not_decided_by_chance(nights: Nights, inbox: Path) -> None:
    for name, figure in (("a", "60"), ("b", "61")):
        (inbox / f"buku-ikp-{name}.csv").write_text(
            f"Wilayah;Variabel;Skor;Alamat sumber\nKab. Sleman;Skor IKP;{figure};x\nKab. Bantul;Skor IKP;20;x\n"
        )
    first = nights.run(inbox)
    index = nights.table(first, "index_score")
    assert index.filter(region_code="34.04")["score"].to_list() == [None]
    assert index.filter(region_code="34.02")["score"].to_list() == [20.0]
    assert len(findings(nights, first, "conflicting_extracts")) == 1
    told = nights.table(first, "observation").filter(region_code="34.04", node_code="ikp")
    assert set(told["state"]) == {"conflicting"}
    other = Nights(nights.folder / "other")
    other.folder.mkdir()
    (inbox / "buku-ikp-a.csv").write_text((inbox / "buku-ikp-a.csv").read_text() + "\n")
    assert other.run(inbox).content_hash == first.content_hash


@pytest.mark.slow
def test_a_file_sent_again_in_other_bytes_says_nothing_new(nights: Nights, inbox: Path) -> None:
    for file in inbox.iterdir():
        if file.name == PRESS:
            file.write_text(file.read_text() + "Prov. Bali;Input provinsi;9999;x\n")
    first = nights.run(inbox)
    (inbox / "siaran-pers-provinsi-lagi.csv").write_text((inbox / PRESS).read_text() + "\n")
    again = nights.run(inbox)
    assert nights.record()["new_extract_count"] == 1
    assert again.outcome == "unchanged"
    assert again.content_hash == first.content_hash


@pytest.mark.slow
def test_a_blank_takes_nothing_away(nights: Nights, inbox: Path) -> None:
    press = inbox / PRESS
    press.write_text(press.read_text() + "Prov. Bali;Input provinsi;-;x\n")
    night = nights.run(inbox)
    assert nights.table(night, "index_score").filter(region_code="51", approach="input")["score"].to_list() == [52.75]


@pytest.mark.slow
def test_a_replayed_night_does_not_move_the_channel_back(nights: Nights, inbox: Path) -> None:
    sources = Library().sources
    store = Store(str(nights.store))
    early = datetime(2026, 1, 5, tzinfo=UTC)
    late = datetime(2026, 1, 20, tzinfo=UTC)
    files = sorted(inbox.iterdir())
    take_in(store, files, sources, early, early)
    (inbox / "buku-ikp-b.csv").write_text("Wilayah;Variabel;Skor;Alamat sumber\nKab. Bantul;Skor IKP;20;x\n")
    take_in(store, [inbox / "buku-ikp-b.csv"], sources, late, late)
    tonight = nights.run(None, as_of=date(2026, 1, 31))
    replay = nights.run(None, as_of=date(2026, 1, 10))
    assert replay.outcome == "published"
    again = nights.run(None, as_of=date(2026, 1, 31))
    assert (again.outcome, again.snapshot_id) == ("unchanged", tonight.snapshot_id)
    replay_again = nights.run(None, as_of=date(2026, 1, 10))
    assert (replay_again.outcome, replay_again.snapshot_id) == ("unchanged", replay.snapshot_id)
    from warehouse.snapshots.channels import head

    candidate = head(store, EDITION, "candidate")
    assert candidate
    assert candidate["snapshot_id"] == tonight.snapshot_id
    assert len(list((nights.store / "snapshots" / EDITION).iterdir())) == 2


@pytest.mark.slow
@pytest.mark.parametrize("late_label", [False, True])
def test_synthetic_is_what_the_receipt_or_the_source_says(
    nights: Nights, own_methodology: Path, late_label: bool
) -> None:
    sources = own_methodology / "sources.yml"
    plain = sources.read_text()
    marked = plain.replace("  precedence: 40\n", "  precedence: 40\n  synthetic: true\n")
    sources.write_text(plain if late_label else marked)
    nights.run(EXTRACTS, methodology=own_methodology)
    sources.write_text(marked if late_label else plain)
    night = nights.run(EXTRACTS, methodology=own_methodology)
    assert nights.table(night, "index_score")["is_synthetic"].all()
