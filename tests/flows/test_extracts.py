"""What became of a file: listed, shown, withdrawn, sent back with its cells marked; and new sources from new files."""

import json
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from flows.night.intake import take_in
from schemas.methodology.library import Library
from tests.conftest import EDITION, EXTRACTS, Answer, Nights, Published
from warehouse.extracts.raw_store import extract_called, withdraw_extract
from warehouse.store.store import Store

Cli = Callable[..., Answer]
BOOK, PRESS = "buku-ikp-2024.csv", "siaran-pers-provinsi-2022-12-16.csv"
HEADER = "Provinsi;Variabel;Skor;Alamat sumber\n"


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    """An office's workbook that no source reads: titles, a total, a note, and most of what goes wrong."""
    file = tmp_path / "laporan jabar 2024.xlsx"
    with xlsxwriter.Workbook(str(file), {"strings_to_formulas": False}) as book:
        sheet = book.add_worksheet("Rekap")
        sheet.merge_range(0, 0, 0, 4, "REKAPITULASI")
        sheet.write_row(2, 0, ["No", "Kabupaten/Kota", "Politik uang", "Netralitas ASN", "Hadir (%)", "Bukti"])
        rows: list[list[object]] = [
            [1, "Kab. Bandung", 12, "3", "82,5 %", "LHP 01"],
            [2, "Bandung", 4, "2", "79,1 %", ""],
            [3, "Kota Cimahi", "nihil", "1", "81 %", ""],
            [4, "Kab. Bogorr", 7, "5", "77,25 %", "=cmd()"],
            [5, "Kota Depok", 1234, "dua", "101 %", ""],
            [6, "Kab. Garut", "-", "1.000", "80 %", ""],
            ["", "Jumlah", 1257, "1.011", "", ""],
        ]
        for line, row in enumerate(rows, start=3):
            sheet.write_row(line, 0, row)
        book.add_worksheet("Catatan").write(0, 0, "tidak ada tabel di sini")
    return file


@pytest.mark.slow
def test_a_new_workbook_becomes_a_source(workbook: Path, tmp_path: Path, kerawanan: Cli) -> None:
    proposed = kerawanan("sources", "propose", workbook, "--format", "json").json
    assert any("guess" in remark for remark in proposed["remarks"])
    folder = tmp_path / "methodology"
    folder.mkdir()
    (folder / "sources.yml").write_text(proposed["entry"])
    text = kerawanan("sources", "propose", workbook).out
    assert proposed["entry"] in text
    given = ("--source", proposed["name"], "--methodology", folder)
    checked = kerawanan("sources", "check", workbook, *given, "--format", "json").json
    (table,) = checked["tables"]
    assert (table["sheet"], table["header_row"], table["rows_below"], table["totals_left_out"]) == ("Rekap", 3, 7, [10])
    assert table["columns"] == {
        "region": "Kabupaten/Kota",
        "reference": "Bukti",
        "item Politik uang": "Politik uang",
        "item Netralitas ASN": "Netralitas ASN",
        "item Hadir (%)": "Hadir (%)",
    }
    assert table["columns_not_read"] == ["No"]
    shown = kerawanan("sources", "check", workbook, *given).out
    assert "header in row 3" in shown
    read = kerawanan("validate", workbook, *given, "--format", "json").json["extracts"][0]
    assert (read["rows"], read["rows_admitted"]) == (18, 10)
    assert {each["rule"] for each in read["violations"]} == {
        "ambiguous_region",
        "unknown_region",
        "not_a_number",
        "out_of_range",
    }
    listed = kerawanan("sources", "list", "--methodology", folder).out
    assert proposed["name"] in listed


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.pdf", "%PDF", ["ending"]),
        ("a.csv", "%PDF-1.7", ["PDF"]),
        ("a.csv", "a;b\n1;2\n", ["no column holds names or codes of regions"]),
        ("a.csv", "Provinsi;Catatan\nAceh;x\nBali;y\n", ["no column beside the regions holds figures"]),
    ],
)
def test_what_cannot_be_a_source_is_said(
    name: str, content: str, words: list[str], tmp_path: Path, kerawanan: Cli
) -> None:
    (tmp_path / name).write_text(content)
    answer = kerawanan("sources", "propose", tmp_path / name)
    assert answer.code == 2
    assert all(word in answer.err for word in words)


def test_the_office_gets_its_workbook_back_with_the_cells_marked(
    workbook: Path, tmp_path: Path, kerawanan: Cli
) -> None:
    (tmp_path / "sources.yml").write_text(
        kerawanan("sources", "propose", workbook, "--format", "json").json["entry"].replace("laporan-jabar:", "jabar:")
    )
    given = ("--source", "jabar", "--methodology", tmp_path)
    shown = kerawanan("validate", workbook, *given, "--marked", tmp_path / "kembali")
    file = tmp_path / "kembali/laporan jabar 2024.xlsx-perbaikan.xlsx"
    assert str(file) in shown.out
    assert "1. " in shown.out
    assert "Rekap row 5" in shown.out
    book = CalamineWorkbook.from_path(str(file))
    assert book.sheet_names == ["Perlu diperbaiki", "Rekap"]
    listed = book.get_sheet_by_name("Perlu diperbaiki").to_python()
    assert listed[0][:3] == ["Lembar / Sheet", "Baris / Row", "Kolom / Column"]
    assert any("dapat berarti lebih dari satu wilayah" in str(row) for row in listed)
    sheet = book.get_sheet_by_name("Rekap").to_python()
    assert sheet[4][:3] == [2.0, "Bandung", 4.0]
    assert sheet[6][5] == "=cmd()"
    with zipfile.ZipFile(file) as archive:
        comments = archive.read("xl/comments1.xml").decode()
        assert not any(b"<f>" in archive.read(name) for name in archive.namelist() if "worksheets/sheet" in name)
    assert 'ref="B5"' in comments
    assert 'ref="D8"' in comments
    assert "Tulis angka seperti" in comments
    assert "Write the figure like" in comments


def test_past_its_limit_an_extract_is_refused_whole(nights: Nights, inbox: Path, own_methodology: Path) -> None:
    sources = own_methodology / "sources.yml"
    text = sources.read_text()
    head = "  precedence: 20\n  evidence: S\n\nmedia-kabkota-cetakan-lain"
    assert head in text
    sources.write_text(text.replace(head, "  limits: {quarantined_share: 0.1, rows: 3}\n" + head))
    (inbox / "media-kabkota-salah.xlsx").write_bytes(b"")
    with xlsxwriter.Workbook(str(inbox / "media-kabkota-salah.xlsx")) as book:
        sheet = book.add_worksheet("Skor kab-kota")
        sheet.write_row(0, 0, ["Kabupaten/Kota", "Variabel", "Skor", "Alamat sumber"])
        for line, row in enumerate(
            [["Kab. Bantul", "Skor IKP", 20, "x"], ["?", "Skor IKP", 1, "x"], ["!", "?", 1, "x"]]
        ):
            sheet.write_row(line + 1, 0, row)
    night = nights.run(inbox, methodology=own_methodology)
    (refused,) = nights.record()["refused"]
    assert refused["file_name"] == "media-kabkota-salah.xlsx"
    assert "2 of its 3 figures are quarantined, more than the 10% that the source allows" in refused["reason"]
    assert nights.table(night, "observation").filter(file_name="media-kabkota-salah.xlsx").is_empty()
    assert nights.table(night, "index_score").filter(region_code="34.02")["score"].to_list() == [None]


@pytest.mark.slow
def test_extracts_are_listed_shown_and_withdrawn(published: Published, tmp_path: Path, kerawanan: Cli) -> None:
    nights, first = published
    store = nights.store
    (tmp_path / "rusak.csv").write_text("Provinsi;Skor\n")
    run = ("run", "--edition", EDITION, "--store", store, "--format", "json")
    assert nights.record()["parsed_extract_count"] == 7
    assert kerawanan("ingest", tmp_path / "rusak.csv", "--source", "siaran-pers-provinsi", "--store", store).code == 2
    listed = kerawanan("extracts", "list", "--store", store, "--format", "json").json["extracts"]
    assert {each["file_name"] for each in listed} == {path.name for path in EXTRACTS.iterdir()} | {"rusak.csv"}
    assert [each["state"] for each in listed] == ["admitted"] * 7 + ["refused"]
    assert "columns are missing" in listed[-1]["reason"]
    assert "rusak.csv" in kerawanan("extracts", "list", "--store", store).out

    shown = kerawanan("extracts", "show", BOOK, "--store", store, "--format", "json").json
    assert shown["rows"] == shown["rows_admitted"]
    assert shown["used_in"][0]["edition"] == EDITION
    assert set(shown["used_in"][0]["figures"]) <= {"used", "confirming", "superseded"}
    assert "used" in kerawanan("extracts", "show", shown["sha256"][:8], "--store", store).out
    assert kerawanan("extracts", "show", "nichts", "--store", store).code == 2

    withdraw = ("extracts", "withdraw", BOOK, "--store", store)
    assert kerawanan(*withdraw).code == 2
    assert kerawanan(*withdraw, "--reason", "scanned wrong").code == 0
    again = kerawanan(*withdraw, "--reason", "scanned wrong")
    assert (again.code, "withdrawn before" in again.err) == (2, True)
    second = kerawanan(*run).json
    assert second["extracts"] == 6
    assert second["parsed_extract_count"] == 0
    assert second["content_hash"] != first.content_hash
    shown = kerawanan("extracts", "show", BOOK, "--store", store)
    assert "scanned wrong" in shown.out
    assert kerawanan("snapshots", "verify", "--store", store).code == 0


def test_what_a_person_may_ask_to_be_removed_is_removed(published: Published, kerawanan: Cli) -> None:
    store = published[0].store
    run = ("run", "--edition", EDITION, "--store", store)
    erase = ("extracts", "erase", BOOK, "--reason", "a name in the evidence", "--store", store)
    assert "withdraw it first" in kerawanan(*erase).err
    kerawanan("extracts", "withdraw", BOOK, "--reason", "a name in the evidence", "--store", store)
    assert kerawanan(*erase).code == 0
    assert "erased before" in kerawanan(*erase).err
    said = (EXTRACTS / BOOK).read_bytes()
    assert not [path for path in store.rglob("*") if path.is_file() and said in path.read_bytes()]
    assert not [path for path in (store / "cache").rglob("*") if path.is_file()]
    assert kerawanan("snapshots", "verify", "--store", store).code == 0
    assert kerawanan(*run).code == 0
    states = kerawanan("extracts", "list", "--store", store, "--format", "json").json["extracts"]
    assert {each["state"] for each in states if each["file_name"] == BOOK} == {"erased"}
    shown = kerawanan("extracts", "show", BOOK, "--store", store)
    assert (shown.code, "was erased at" in shown.err) == (2, True)


@pytest.mark.slow
def test_a_night_before_the_withdrawal_is_as_it_was(nights: Nights) -> None:
    store, sources = Store(str(nights.store)), Library().sources
    early = datetime(2026, 1, 5, tzinfo=UTC)
    take_in(store, sorted(EXTRACTS.iterdir()), sources, early, early)
    before = nights.run(None, as_of=date(2026, 1, 10))
    withdraw_extract(store, extract_called(store, BOOK), "wrong", datetime(2026, 1, 20, 12, tzinfo=UTC))
    assert nights.run(None, as_of=date(2026, 1, 10)).outcome == "unchanged"
    after = nights.run(None, as_of=date(2026, 1, 20))
    assert after.content_hash != before.content_hash
    assert len(nights.record()["inputs"]) == 6


def test_of_many_extracts_only_the_new_one_is_parsed_and_the_night_says_so(published: Published, inbox: Path) -> None:
    nights, _ = published
    (inbox / PRESS.replace("16", "17")).write_text(HEADER + "Prov. Bali;Input provinsi;52,75;x\n")
    nights.run(inbox)
    assert (nights.record()["new_extract_count"], nights.record()["parsed_extract_count"]) == (1, 1)
    assert len(nights.record()["inputs"]) == 8


@pytest.mark.slow
def test_how_extracts_are_batched_changes_nothing(
    nights: Nights, inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read batch by batch, so that memory follows the largest extract; what is found is what the whole has."""
    (inbox / PRESS.replace("16", "17")).write_text(
        HEADER + "Prov. Bali;Input provinsi;52,75;x\nAtjeh;Input provinsi;1;x\n"
    )
    whole = nights.run(inbox)
    monkeypatch.setattr("flows.night.reading.BATCH", 1)
    other = Nights(tmp_path / "other")
    other.folder.mkdir()
    batched = other.run(inbox)
    assert batched.content_hash == whole.content_hash
    assert other.record()["inputs"] == nights.record()["inputs"]
    found = [each.table(night, "quality_result") for each, night in ((nights, whole), (other, batched))]
    assert found[0].equals(found[1])
    assert not found[1].filter(check="correction_unused").height


@pytest.mark.slow
@pytest.mark.parametrize("changed", ["sources.yml", "dictionary.yml", "regions/regions.csv", "regions/aliases.csv"])
def test_a_changed_methodology_is_read_anew(published: Published, own_methodology: Path, changed: str) -> None:
    nights, _ = published
    change = {
        "sources.yml": ('missing: ["-", "n/a"]\n  precedence: 40', 'missing: ["-"]\n  precedence: 40'),
        "dictionary.yml": (
            "units:\n",
            'units:\n  score_88: {lowest: 0, highest: 88, meaning_en: "score 0-88", meaning_id: "skor 0-88"}\n',
        ),
        "regions/regions.csv": ("11,province,Aceh,", "11,province,Nanggroe,"),
        "regions/aliases.csv": ("31,DKI,singkatan,", "31,DKI,lain,"),
    }[changed]
    file = own_methodology / changed
    assert change[0] in file.read_text()
    file.write_text(file.read_text().replace(*change))
    night = nights.run(methodology=own_methodology)
    record = nights.record()
    assert "same_inputs_as_run" not in record
    assert record["parsed_extract_count"] == (1 if changed == "sources.yml" else 0)
    if changed == "regions/regions.csv":
        assert "Nanggroe" in nights.table(night, "index_score")["region_name"].to_list()


def test_the_marked_workbook_of_a_stored_extract(tmp_path: Path, kerawanan: Cli) -> None:
    store = tmp_path / "store"
    (tmp_path / PRESS).write_text(HEADER + "Prov. Bali;Input provinsi;9999;x\nAceh;Input provinsi;1,5;x\n")
    source = ("--source", "siaran-pers-provinsi", "--store", store)
    assert kerawanan("ingest", tmp_path / PRESS, *source).code == 0
    shown = kerawanan("extracts", "show", PRESS, "--store", store, "--marked", tmp_path, "--format", "json")
    assert json.loads(shown.out)["marked"].endswith("-perbaikan.xlsx")
    book = CalamineWorkbook.from_path(json.loads(shown.out)["marked"])
    assert book.get_sheet_by_name("Data").to_python()[1][2] == "9999"
