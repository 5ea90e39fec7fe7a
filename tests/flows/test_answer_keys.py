"""Outside programs rely on the JSON of commands: no key goes. New ones are added to answer_keys.json:

REWRITE_ANSWER_KEYS=1 pytest tests/flows/test_answer_keys.py
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.conftest import EDITION, EXTRACTS, Answer, Published

KEYS = Path(__file__).with_name("answer_keys.json")
SOURCE = "siaran-pers-provinsi"
WRONG = (
    "Provinsi;Variabel;Skor;Alamat sumber\nProv. Bali;Input provinsi;9999;x\n"
    "Prov. Kalimantan Timur;Input provinsi;77,04;x\nProv. Bengkulu;Input provinsi;23,79;x\n"
)
# What is keyed by names of the data: columns of a file, states, severities, indicators.
NAMED = ("columns", "left_out_have", "figures", "findings", "code.libraries", "table_hashes", "nodes[].")


def paths(data: Any, at: str = "") -> Iterator[str]:
    """Every key of an answer, by its path."""
    if isinstance(data, dict) and not at.endswith(NAMED):
        for name, value in data.items():
            yield f"{at}.{name}".removeprefix(".")
            yield from paths(value, f"{at}.{name}")
    elif isinstance(data, list):
        for each in data:
            yield from paths(each, f"{at}[]")


def answered(published: Published, kerawanan: Callable[..., Answer], folder: Path) -> dict[str, set[str]]:
    """The keys of the answer of every command, on a store of one night."""
    nights, night = published
    found: dict[str, set[str]] = {}

    def ask(*command: object) -> Any:
        answer = kerawanan(*command, "--store", nights.store, "--format", "json")
        assert answer.out, (command, answer.err)
        name = " ".join(str(each) for each in command[:2] if "/" not in str(each) and not str(each).startswith("--"))
        found.setdefault(name, set()).update(paths(answer.json))
        return answer.json

    wrong, broken, press = folder / "coba.csv", folder / "rusak.xlsx", next(EXTRACTS.glob(f"{SOURCE}*"))
    wrong.write_text(WRONG)
    broken.write_bytes(b"PK\x03\x04")
    for edition in ("ikp-2024", EDITION):
        ask("methodology", "show", edition)
    ask("methodology", "list")
    ask("methodology", "check", EDITION)
    ask("sources", "list")
    ask("sources", "propose", press)
    for file in (wrong, broken):
        ask("sources", "check", file, "--source", SOURCE)
    ask("validate", wrong, broken, "--source", SOURCE, "--marked", folder)
    ask("ingest", wrong, press, broken, "--source", SOURCE)
    (received,) = [each for each in ask("extracts", "list")["extracts"] if each["file_name"] == press.name]
    ask("extracts", "show", received["sha256"])
    ask("extracts", "show", wrong.name)
    ask("run", "--edition", EDITION, "--as-of", "2026-01-31")
    changed = ask("run", "--edition", EDITION)
    ask("extracts", "withdraw", received["sha256"], "--reason", "x")
    ask("extracts", "show", received["sha256"])
    ask("snapshots", "list")
    ask("snapshots", "show", changed["snapshot_id"])
    ask("snapshots", "diff", night.snapshot_id, changed["snapshot_id"])
    ask("snapshots", "promote", changed["snapshot_id"], "--reason", "x")
    ask("snapshots", "withdraw", changed["snapshot_id"], "--reason", "x")
    ask("extracts", "erase", received["sha256"], "--reason", "x")
    days = ("--edition", EDITION, "--from", "2026-01-30", "--to", "2026-01-31", "--reason", "x")
    ask("backfill", *days)
    many = ask("backfill", *days, "--execute")
    ask("runs", "list")
    for run_id in (changed["run_id"], many["run_id"], "run-001"):
        ask("runs", "show", run_id)
    table = next((nights.store / "snapshots").rglob("index_score.parquet"))
    table.write_bytes(table.read_bytes() + b"x")
    ask("snapshots", "verify")
    ask("snapshots", "prune", "--keep-days", "1")
    return found


def test_no_key_of_an_answer_goes(published: Published, kerawanan: Callable[..., Answer], tmp_path: Path) -> None:
    found = answered(published, kerawanan, tmp_path)
    if os.environ.get("REWRITE_ANSWER_KEYS"):
        KEYS.write_text(json.dumps({name: sorted(each) for name, each in sorted(found.items())}, indent=1) + "\n")
    declared = {name: set(each) for name, each in json.loads(KEYS.read_text()).items()}
    assert found.keys() == declared.keys()
    for name, keys in found.items():
        assert not declared[name] - keys, f"{name} lost keys"
        assert not keys - declared[name], f"{name} has keys that answer_keys.json does not declare"
