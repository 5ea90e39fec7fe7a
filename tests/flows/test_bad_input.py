"""Bad input: a clear message, the right exit code, good rows kept, nothing wrong published."""

import io
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from tests.conftest import EDITION, EXTRACTS, Answer, Nights

PRESS = "siaran-pers-provinsi-2022-12-16.csv"
SOURCE = "siaran-pers-provinsi"
HEADER = "Provinsi;Variabel;Skor;Alamat sumber"
GOOD = "Prov. Aceh;Input provinsi;38,06;https://example.org/a"

Cli = Callable[..., Answer]

# name: (a row sent beside a good one, the rule it breaks, words that the sentence must hold)
BAD_ROWS = {
    "unknown region": ("Prov. Atjeh Raya;Input provinsi;38,06;x", "unknown_region", ["Prov. Atjeh Raya"]),
    "misspelt region": ("Prov. Sumtera Utara;Input provinsi;1,5;x", "unknown_region", ["Sumatera Utara (12)"]),
    "text in a number": ("Prov. Bali;Input provinsi;tinggi;x", "not_a_number", ["tinggi", "1.234,5"]),
    "english style": ("Prov. Bali;Input provinsi;52.75;x", "not_a_number", ["52.75", "1.234,5"]),
    "9999": ("Prov. Bali;Input provinsi;9999;x", "out_of_range", ["9999", "0 - 100"]),
    "negative": ("Prov. Bali;Input provinsi;-3,5;x", "out_of_range", ["-3,5"]),
    "infinity": ("Prov. Bali;Input provinsi;inf;x", "not_finite", ["inf"]),
    "a number beyond all numbers": (f"Prov. Bali;Input provinsi;{'9' * 400};x", "not_finite", ["finite"]),
    "not a number": ("Prov. Bali;Input provinsi;NaN;x", "not_finite", ["NaN"]),
    "no region": (";Input provinsi;12,5;x", "blank_region", ["no region"]),
    "no indicator": ("Prov. Bali;;12,5;x", "blank_item", ["no indicator"]),
    "unknown indicator": ("Prov. Bali;Skor lain;12,5;x", "unknown_item", ["Skor lain", "Agregat kab/kota"]),
    "too many cells": ("Prov. Bali;Input provinsi;12,5;x;y;z", "ragged_row", ["more or fewer"]),
    "surplus cells of which the first is empty": (
        "Prov. Bali;Input provinsi;12,5;x;;z",
        "ragged_row",
        ["more or fewer"],
    ),
    "too few cells": ("Prov. Bali;Input provinsi;12,5", "ragged_row", ["leave no cell out"]),
    "english style with three digits": ("Prov. Bali;Input provinsi;0.077;x", "not_a_number", ["0.077"]),
    "digits of another script": ("Prov. Bali;Input provinsi;٣;x", "not_a_number", ["٣"]),
    "repeated row": (GOOD, "repeated_row", ["row 2"]),
}


def extract(folder: Path, *rows: str, name: str = PRESS) -> Path:
    file = folder / name
    file.write_text("\n".join([HEADER, GOOD, *rows]) + "\n", encoding="utf-8")
    return file


@pytest.mark.parametrize("case", BAD_ROWS)
def test_a_bad_row_is_quarantined_and_the_good_one_kept(case: str, tmp_path: Path, kerawanan: Cli) -> None:
    row, rule, words = BAD_ROWS[case]
    answer = kerawanan("validate", extract(tmp_path, row), "--source", SOURCE, "--format", "json")
    assert answer.code == 0
    found = answer.json["extracts"][0]
    assert (found["rows"], found["rows_admitted"], found["rows_quarantined"]) == (2, 1, 1)
    assert [each["rule"] for each in found["violations"]] == [rule]
    violation = found["violations"][0]
    assert violation["row"] == 3
    told = violation["message_en"] + violation["action_en"]
    assert all(word in told for word in words)
    assert violation["message_id"]
    assert violation["action_id"]
    shown = kerawanan("validate", extract(tmp_path, row), "--source", SOURCE)
    assert "row 3" in shown.out
    assert rule in shown.out


def test_figures_that_conflict_within_an_extract_are_both_refused(tmp_path: Path, kerawanan: Cli) -> None:
    file = extract(tmp_path, "Prov. Bali;Input provinsi;1,5;x", "BALI;Input provinsi;2,5;x")
    found = kerawanan("validate", file, "--source", SOURCE, "--format", "json").json["extracts"][0]
    assert found["rows_admitted"] == 1
    assert {(each["rule"], each["row"]) for each in found["violations"]} == {
        ("conflicting_rows", 3),
        ("conflicting_rows", 4),
    }


def test_bandung_alone_is_ambiguous(tmp_path: Path, kerawanan: Cli) -> None:
    file = tmp_path / "buku-ikp-x.csv"
    file.write_text("Wilayah;Variabel;Skor;Alamat sumber\nBandung;Skor IKP;91,59;x\nKab. Bandung;Skor IKP;91,59;x\n")
    found = kerawanan("validate", file, "--source", "buku-ikp-2024", "--format", "json").json["extracts"][0]
    assert found["rows_admitted"] == 1
    violation = found["violations"][0]
    assert violation["rule"] == "ambiguous_region"
    assert "Kabupaten Bandung (32.04)" in violation["message_en"]
    assert "Kota Bandung (32.73)" in violation["message_en"]


@cache
def far_workbook() -> bytes:
    """A workbook of a few kilobytes whose rectangle has 17 thousand million cells."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content) as book:
        sheet = book.add_worksheet("Skor kab-kota")
        sheet.write_row(0, 0, ["Kabupaten/Kota", "Variabel", "Skor", "Alamat sumber"])
        sheet.write(1_048_575, 16_383, "x")
    return content.getvalue()


def refused_files(folder: Path) -> dict[str, tuple[Path, str, list[str]]]:
    """name: (file, source, words of the reason)"""
    folder.mkdir(exist_ok=True)

    def file(name: str, content: bytes) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    workbook = (EXTRACTS / "media-kabkota.xlsx").read_bytes()
    (folder / "link.csv").symlink_to(EXTRACTS / PRESS)
    return {
        "missing column": (
            file("a.csv", b"Provinsi;Skor\nAceh;1\n"),
            SOURCE,
            ["missing: Variabel", "Provinsi, Skor"],
        ),
        "empty": (file("b.csv", b""), SOURCE, ["empty"]),
        "header only": (file("c.csv", HEADER.encode() + b"\n"), SOURCE, ["no rows"]),
        "pdf renamed": (file("d.csv", b"%PDF-1.7\n1 0 obj\n"), SOURCE, ["PDF"]),
        "workbook as csv": (file("e.csv", workbook), SOURCE, ["Office workbook"]),
        "csv as workbook": (file("f.xlsx", b"a;b\n1;2\n"), "media-kabkota", ["not an XLSX workbook"]),
        "broken workbook": (file("g.xlsx", workbook[: len(workbook) // 2]), "media-kabkota", ["cannot be opened"]),
        "empty zip": (file("h.xlsx", b"PK\x03\x04" + b"\0" * 40), "media-kabkota", ["cannot be opened"]),
        "other sheet": (EXTRACTS / "cetakan-lain-kabkota.xlsx", "media-kabkota", ["Skor kab-kota", "Cetakan lain"]),
        "not utf-8": (file("i.csv", HEADER.encode() + b"\nAceh\xff;x;1;y\n"), SOURCE, ["utf-8"]),
        "nul bytes": (file("j.csv", HEADER.encode() + b"\nAc\0eh;x;1;y\n"), SOURCE, ["NUL"]),
        "ditto marks": (
            file("q.csv", HEADER.encode() + b'\nAceh;x;1;a\nBali;x;2;"\nRiau;x;3;"\nJambi;x;4;b\n'),
            SOURCE,
            ["row 3", "ditto"],
        ),
        "lone carriage returns": (file("r.csv", HEADER.encode() + b"\rAceh;x;1;a\r"), SOURCE, ["carriage returns"]),
        "header without end": (file("s.csv", b'"' + b"Provinsi;Variabel;" * 20000), SOURCE, ["CSV"]),
        "column twice": (file("t.csv", HEADER.encode() + b";Skor\nAceh;x;1;a;2\n"), SOURCE, ["Skor stands twice"]),
        "cell at the far corner": (file("u.xlsx", far_workbook()), "media-kabkota", ["too far"]),
        "open quote": (file("k.csv", HEADER.encode() + b'\n"Aceh;x;1;y\n'), SOURCE, ["CSV"]),
        "other separator": (file("l.csv", b"Provinsi,Variabel,Skor\nAceh,x,1\n"), SOURCE, ["missing", "declares ';'"]),
        "folder": (folder, SOURCE, ["folder"]),
        "link": (folder / "link.csv", SOURCE, ["link"]),
        "absent": (folder / "nowhere.csv", SOURCE, ["No such file"]),
    }


REFUSED = [
    "missing column",
    "empty",
    "header only",
    "pdf renamed",
    "workbook as csv",
    "csv as workbook",
    "broken workbook",
    "empty zip",
    "other sheet",
    "not utf-8",
    "nul bytes",
    "ditto marks",
    "lone carriage returns",
    "header without end",
    "column twice",
    "cell at the far corner",
    "open quote",
    "other separator",
    "folder",
    "link",
    "absent",
]


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_is_not_an_extract_is_refused_whole(case: str, tmp_path: Path, kerawanan: Cli) -> None:
    file, source, words = refused_files(tmp_path / "files")[case]
    checked = kerawanan("validate", file, "--source", source, "--format", "json")
    assert checked.code == 2
    reason = checked.json["extracts"][0]["refused"]
    assert all(word in reason for word in words), reason
    store = tmp_path / "store"
    taken = kerawanan("ingest", file, EXTRACTS / PRESS, "--source", source, "--store", store, "--format", "json")
    assert taken.code == 2
    assert [each["reason"] for each in taken.json["refused"]][:1] == [reason]
    assert len(taken.json["admitted"]) == (1 if source == SOURCE else 0)


@pytest.mark.slow
def test_refused_and_quarantined_input_does_not_stop_the_night(nights: Nights, inbox: Path) -> None:
    (inbox / "laporan.pdf").write_bytes(b"%PDF-1.7")
    (inbox / "siaran-pers-provinsi-rusak.csv").write_bytes(b"%PDF-1.7")
    press = (inbox / PRESS).read_text()
    (inbox / PRESS).write_text(press.replace("Prov. Bengkulu;Input provinsi;3,79", "Prov. Bengkulu;Input provinsi;379"))
    night = nights.run(inbox)
    assert night.outcome == "published"
    assert {each["file_name"] for each in nights.record()["refused"]} == {
        "laporan.pdf",
        "siaran-pers-provinsi-rusak.csv",
    }
    index = nights.table(night, "index_score").filter(region_level="province", approach="input")
    assert index["score"].count() == 33
    assert index.filter(region_code="17")["score"].to_list() == [None]
    # 33 of 34: no rank, no derived cut-off, no category, and the reason is given.
    assert index["rank"].count() == 0
    assert index["category"].count() == 0
    quality = nights.table(night, "quality_result")
    told = quality.filter(pl.col("subject") == "province / input / ikp")["message_en"].to_list()
    assert told == [
        "province / input / ikp: 33 of 34 regions are known, so there is no rank and no cut-off derived from them."
    ]
    assert quality.filter(check="rows_quarantined")["observed"].to_list() == ["1"]
    quarantine = pl.read_parquet(nights.store / "runs/run-001/quarantine.parquet")
    assert set(quarantine.select("row", "region", "value_text", "rule").rows()) == {
        (35, "Prov. Bengkulu", "379", "out_of_range"),
        (None, None, None, "name_of_no_source"),
        (None, None, None, "other_format"),
    }


@pytest.mark.slow
def test_a_correction_whose_expectation_fails_holds_the_night(tmp_path: Path, inbox: Path, kerawanan: Cli) -> None:
    press = (inbox / PRESS).read_text()
    (inbox / PRESS).write_text(
        press.replace("Prov. Kalimantan Timur;Input provinsi;77,04", "Prov. Kalimantan Timur;Input provinsi;77,05")
    )
    store = tmp_path / "store"
    answer = kerawanan("run", "--edition", EDITION, "--inbox", inbox, "--store", store, "--format", "json")
    assert answer.code == 3
    assert answer.json["outcome"] == "held"
    assert "the correction expects 77,04, but the extract has 77,05" in answer.json["critical"][0]
    assert answer.json["stable_snapshot_id"] is None
    assert not (store / "stable").exists()
    shown = kerawanan("run", "--edition", EDITION, "--store", store)
    assert shown.code == 3
    assert "held" in shown.out
    assert "Held because" in shown.out
    assert "published" not in shown.out.replace("ikp-2024-published", "")


def test_nothing_to_score(tmp_path: Path, kerawanan: Cli) -> None:
    store = tmp_path / "store"
    none = kerawanan("run", "--edition", EDITION, "--store", store)
    assert (none.code, none.out) == (2, "")
    assert "0 extract(s)" in none.err
    early = kerawanan("run", "--edition", EDITION, "--store", store, "--inbox", EXTRACTS, "--as-of", "2020-01-01")
    assert early.code == 2
    assert "7 later" in early.err
    assert not (store / "snapshots").exists()


def test_wrong_usage(tmp_path: Path, kerawanan: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "store-file"
    file.write_text("x")
    for arguments, word in {
        ("run", "--edition", "ikp-1900"): "ikp-2024-published",
        ("run", "--edition", EDITION, "--as-of", "yesterday"): "--as-of",
        ("run", "--edition", EDITION, "--inbox", tmp_path / "nowhere"): "not a folder",
        ("run", "--edition", EDITION, "--store", file): "is a file",
        ("run", "--edition", EDITION, "--store", "ftp://bucket"): "folder",
        ("run", "--edition", EDITION, "--threads", "0"): "threads",
        ("run", "--edition", EDITION, "--memory-limit", "much"): "memory_limit",
        ("ingest", EXTRACTS / PRESS, "--source", "unknown"): "unknown",
        ("snapshots", "show", "nope", "--store", tmp_path / "s"): "no store",
        ("snapshots", "verify", "--store", tmp_path / "s"): "no store",
        ("methodology", "show", "nope"): "ikp-2024-published",
        ("publish",): "publish",
        (): "COMMAND",
    }.items():
        answer = kerawanan(*arguments)
        assert answer.code == 2, arguments
        assert word in answer.err, answer.err
    monkeypatch.setenv("KERAWANAN_THREADS", "many")
    assert kerawanan("methodology", "list").code == 2


def test_a_hostile_inbox_does_not_stop_the_night(nights: Nights, inbox: Path) -> None:
    for case, (file, source, _) in refused_files(inbox.parent / "files").items():
        if file.is_file() and source == SOURCE and not file.is_symlink():
            shutil.copy(file, inbox / f"siaran-pers-provinsi-{case}.csv")
    shutil.copy(inbox.parent / "files/u.xlsx", inbox / "media-kabkota-jauh.xlsx")
    (inbox / "siaran-pers-provinsi-\udcff.csv").write_bytes(b"x")
    night = nights.run(inbox)
    assert night.outcome == "published"
    refused = nights.record()["refused"]
    assert len(refused) >= 14
    assert all(each["reason"] for each in refused)
    index = nights.table(night, "index_score").filter(region_level="province", approach="input")
    assert index["rank"].count() == 34


def test_words_for_no_figure_may_be_numbers(inbox: Path, own_methodology: Path, nights: Nights) -> None:
    sources = own_methodology / "sources.yml"
    sources.write_text(sources.read_text().replace('missing: ["-", "n/a"]', 'missing: ["-", "n/a", "99"]'))
    press = inbox / PRESS
    press.write_text(press.read_text().replace("Prov. Bali;Input provinsi;52,75", "Prov. Bali;Input provinsi;99"))
    night = nights.run(inbox, methodology=own_methodology)
    index = nights.table(night, "index_score").filter(region_code="51", approach="input")
    assert index["score"].to_list() == [None]


def test_names_that_are_not_for_files(tmp_path: Path, kerawanan: Cli) -> None:
    """A hostile file name is data: it is shown, and never becomes a path."""
    name = "siaran-pers-provinsi'; drop [red] ..csv"
    shutil.copy(EXTRACTS / PRESS, tmp_path / name)
    answer = kerawanan("ingest", tmp_path / name, "--source", SOURCE, "--store", tmp_path / "store")
    assert answer.code == 0
    assert name in answer.out
    stored = sorted(path.name for path in (tmp_path / "store").rglob("*") if path.is_file())
    assert not any("drop" in each for each in stored)
