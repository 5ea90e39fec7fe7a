"""Hostile files among good ones: the night ends, the good ones are published, each bad one is named."""

import time
from datetime import date
from pathlib import Path

import pytest

from flows.readers.pool import ReaderLimits, Readers
from schemas.strict import yaml_text
from tests.conftest import EDITION, EXTRACTS, Nights
from tests.flows.test_reuse import Counted

hostile = pytest.importorskip("tests.fuzz.hostile")
LIMITS = ReaderLimits()  # 20 seconds, 1 GB


@pytest.mark.slow
def test_a_night_publishes_what_is_good_beside_hostile_files(
    nights: Nights, inbox: Path, own_methodology: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = {f"musuh-{number}": case for number, case in enumerate(hostile.CASES.values())}
    assert len(cases) >= 80
    entries = {}
    for name, case in cases.items():
        file = f"{name}.{case.file_name.rpartition('.')[2]}"
        (inbox / file).write_bytes(case.make())
        entries[name] = case.source.model_dump(mode="json", exclude_unset=True) | {"pattern": file}
    sources = own_methodology / "sources.yml"
    sources.write_text(sources.read_text() + "\n" + yaml_text(entries))
    edition = own_methodology / f"editions/{EDITION}/edition.yml"
    edition.write_text(edition.read_text().replace("sources: [", f"sources: [{', '.join(cases)}, "))
    # So much of what is sent here is wrong that the gate would hold it, whatever is good.
    gate = own_methodology / "gate.csv"
    rules = gate.read_text().splitlines(keepends=True)
    gate.write_text("".join(rule for rule in rules if "quarantined_share" not in rule and "refused_share" not in rule))
    counted = Counted(Readers.rows)
    monkeypatch.setattr(Readers, "rows", lambda *given: counted(*given))

    began = time.monotonic()
    night = nights.run(inbox, methodology=own_methodology, reading=LIMITS)
    took = time.monotonic() - began
    refused = {each["file_name"].rpartition(".")[0]: each["reason"] for each in nights.record()["refused"]}
    ended = {name: reason for name, reason in refused.items() if "KERAWANAN_READER" in reason}
    for name, reason in sorted(ended.items()):
        print(cases[name].name, reason)  # noqa: T201
    print(f"{len(cases)} files, {len(refused)} refused, {len(ended)} of them by limits, {took:.0f} s")  # noqa: T201
    assert night.outcome == "published"
    must = {name for name, case in cases.items() if case.refused is not None}
    assert must <= refused.keys() <= cases.keys()

    plain = Nights(nights.folder / "plain")
    plain.folder.mkdir()
    expected = plain.table(plain.run(EXTRACTS), "index_score").drop("run_id", "snapshot_id", strict=False)
    assert nights.table(night, "index_score").drop("run_id", "snapshot_id", strict=False).equals(expected)

    counted.calls = 0
    nights.run(inbox, methodology=own_methodology, reading=LIMITS, as_of=date(2026, 2, 3))
    # What was refused is read again, what ended its reader is not.
    assert counted.calls <= len(refused) - len(ended)
