"""What is counted means one thing, and is the same number wherever it stands."""

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from flows.results.markdown import night_markdown
from tests.conftest import Answer, night_answered
from tests.themes import EDITION, theme

FIGURE = ["extract_sha256", "sheet", "row", "item"]

# Wide, wrong in several cells of a row and in several ways; 99 is no region, twelve no number, -5 no count.
WIDE = """\
kode,kasus,survei
11,1,2
99,twelve,300
12,-5,101
13,1.5,50
14,,
11,1,2
12,7,8
"""
AGAIN = "kode,kasus,survei\n99,twelve,300\n15,3,4\n"
LIMITED = "kode,kasus,survei\n" + "77,x,y\n" * 12


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    for name, text in {"1": WIDE, "2": AGAIN, "3": LIMITED, "4": "nothing of the kind\n1\n"}.items():
        (folder / f"kantor-{name}.csv").write_text(text)
    return folder


@pytest.mark.slow
def test_every_count_is_the_same_number(
    kerawanan: Callable[..., Answer], inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transforms.extracts.admission.MOST_DESCRIBED", 40)
    own = theme(tmp_path)
    sources = own / "sources.yml"
    limit = "  limits: {quarantined_share: 0.9}\n  missing: [n/a]\n"
    sources.write_text(sources.read_text().replace("  missing: [n/a]\n", limit, 1))
    store = tmp_path / "store"
    more = ("--methodology", own, "--store", store)
    shown = kerawanan("run", "--edition", EDITION, "--inbox", inbox, *more, "--format", "json")
    night = json.loads(shown.out)
    rows, admitted = night["rows"], night["rows_admitted"]
    quarantined = rows - admitted
    # Wrong: 99 (2 figures, sent twice), 12 (2, so that its other row stands), 13 (1), 11 once more (2).
    assert (rows, quarantined) == (18, 9)
    assert len(night["refused"]) == 2
    run = store / "runs" / night["run_id"]
    record = json.loads((run / "run.json").read_text())
    assert sum(each["rows"] - each["rows_admitted"] for each in record["inputs"]) == quarantined
    counted = {each["sha256"] for each in record["inputs"]}
    problems = pl.read_parquet(run / "quarantine.parquet").filter(pl.col("extract_sha256").is_in(counted))
    assert problems.select(FIGURE).unique().height == quarantined
    assert problems.height > quarantined
    quality = pl.read_parquet(run / "quality_result.parquet")
    finding = quality.filter(check="rows_quarantined").to_dicts()
    assert [each["observed"] for each in finding] == [str(quarantined)]
    gate = quality.filter(check="most_rows_admitted")["observed"].to_list()
    assert gate == [f"all that was sent: {quarantined / rows:.6g}"] or gate == [f"{quarantined / rows:.6g}"]
    assert f"{admitted} were admitted and {quarantined} quarantined" in night_markdown(night_answered(store, night))
    history = pl.read_parquet(store / "history/v1" / EDITION / "run.parquet").to_dicts()[0]
    assert (history["rows"], history["rows_quarantined"]) == (rows, quarantined)
    text = kerawanan("run", "--edition", EDITION, *more)
    assert f"{rows} figures: {admitted} admitted, {quarantined} quarantined" in text.out
    of_files = [
        kerawanan(
            "validate", inbox / f"kantor-{name}.csv", "--source", "kantor", "--methodology", own, "--format", "json"
        )
        for name in (1, 2)
    ]
    assert sum(each.json["extracts"][0]["rows_quarantined"] for each in of_files) == quarantined


def test_seven_equal_events_are_seven_figures(kerawanan: Callable[..., Answer], tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    head = "Kode wilayah;Nomor indikator;Jumlah;Tingkat;Tanggal;Bukti\n"
    (inbox / "peristiwa.csv").write_text(head + "11;1;1;Parah;;\n" * 7 + "11;1;1;Ringan;;\n")
    own = tmp_path / "own"
    own.mkdir()
    (own / "sources.yml").write_text(
        "peristiwa:\n  title: x\n  pattern: peristiwa*.csv\n  format: csv\n  separator: ';'\n  encoding: utf-8\n"
        "  layout: events\n  columns: {region: [Kode wilayah], item: [Nomor indikator], value: [Jumlah], "
        "severity: [Tingkat]}\n  number_style: indonesian\n  region_key: code\n  region_levels: [province]\n"
        "  unit: severity_sum\n  measure: value\n  severities: {Ringan: ringan}\n"
        '  items: {"1": {item: i01, approach: input}}\n  precedence: 1\n  evidence: A\n'
    )
    answer = kerawanan(
        "validate", inbox / "peristiwa.csv", "--source", "peristiwa", "--methodology", own, "--format", "json"
    )
    assert (answer.json["extracts"][0]["rows"], answer.json["extracts"][0]["rows_quarantined"]) == (8, 7)
