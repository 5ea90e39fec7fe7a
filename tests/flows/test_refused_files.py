"""A file that is refused whole is a row like others that are not admitted: in quarantine, JSON, workbook, gate page."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from flows.readers.pool import Readers
from schemas.contract.dictionary import packaged_dictionary
from schemas.contract.refusals import Refusal
from schemas.errors import KerawananError, NothingToScore
from schemas.sentence import Sentence
from tests.conftest import EDITION, EXTRACTS, Answer, Nights
from warehouse.store.store import Store

Cli = Callable[..., Answer]
PRESS = "siaran-pers-provinsi-2022-12-16.csv"
SOURCE = "siaran-pers-provinsi"
SALAH, NAMELESS = "siaran-pers-provinsi-salah.csv", "siaran-pers-provinsi-\u202e.csv"
OVER = "media-kabkota-lebih.xlsx"


def with_limit(own_methodology: Path) -> Path:
    """The methodology, in which a source allows a tenth of its figures in quarantine."""
    sources = own_methodology / "sources.yml"
    text = sources.read_text()
    head = "  precedence: 20\n  evidence: S\n\nmedia-kabkota-cetakan-lain"
    assert head in text
    sources.write_text(text.replace(head, "  limits: {quarantined_share: 0.1, rows: 3}\n" + head))
    return own_methodology


@pytest.mark.slow
def test_refused_files_are_rows_of_the_quarantine_and_of_the_gate_page(
    nights: Nights, inbox: Path, own_methodology: Path
) -> None:
    (inbox / SALAH).write_text("Provinsi;Skor\nBali;1\n")
    (inbox / NAMELESS).write_text("Provinsi;Skor\nBali;1\n")
    with xlsxwriter.Workbook(str(inbox / OVER)) as book:
        sheet = book.add_worksheet("Skor kab-kota")
        sheet.write_row(0, 0, ["Kabupaten/Kota", "Variabel", "Skor", "Alamat sumber"])
        for line, region in enumerate(["Kab. Bantul", "?", "!"], start=1):
            sheet.write_row(line, 0, [region, "Skor IKP", 20, "x"])
    nights.run(inbox, methodology=with_limit(own_methodology))
    rules = {SALAH: "columns_missing", NAMELESS: "name_unprintable", OVER: "too_much_quarantined"}
    refused = {each["file_name"]: each for each in nights.record()["refused"]}
    assert {name: each["rule"] for name, each in refused.items()} == rules
    assert refused[SALAH]["reason"].startswith("columns are missing: ")
    assert refused[SALAH]["reason_id"].startswith("kolom berikut tidak ada: ")
    assert refused[OVER]["reason_id"].startswith(
        "2 dari 3 angkanya dikarantina, lebih dari 10% yang diizinkan sumber; "
    )

    run = nights.store / f"runs/run-{nights.count:03}"
    rows = pl.read_parquet(run / "quarantine.parquet")
    table = packaged_dictionary().tables["_quarantine"]
    assert rows.columns == list(table.columns)
    whole = rows.filter(pl.col("rule").is_in(list(rules.values())))
    assert dict(whole.select("file_name", "rule").rows()) == rules
    assert whole["row"].null_count() == 3
    assert not whole.select("message_id", "message_en", "action_id", "action_en").null_count().sum_horizontal().sum()
    assert whole.filter(file_name=SALAH).select("source", "action_id", "action_en").rows() == [
        (SOURCE, "Tambahkan kolomnya.", "Add them.")
    ]
    # The rows of the extract that has too many wrong ones stand there too.
    assert rows.filter(file_name=OVER).height == 3

    page = (run / "gate.html").read_text()
    for each in refused.values():
        assert each["rule"] in page
        assert each["action_id"] in page
        assert each["action_en"] in page


def test_without_any_figure_the_refused_files_stand_in_the_quarantine(nights: Nights, tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / SALAH).write_text("Provinsi;Skor\n")
    with pytest.raises(NothingToScore) as told:
        nights.run(tmp_path / "inbox")
    (sentence,) = told.value.sentences
    assert f"{SALAH} was refused: columns are missing" in sentence["en"]
    assert f"{SALAH} ditolak: kolom berikut tidak ada" in sentence["id"]
    rows = pl.read_parquet(nights.store / f"runs/run-{nights.count:03}/quarantine.parquet")
    assert rows["rule"].to_list() == ["columns_missing"]


def test_a_refused_file_is_answered_and_sent_back_in_both_languages(tmp_path: Path, kerawanan: Cli) -> None:
    file = tmp_path / "salah.csv"
    file.write_text("Provinsi;Skor\n")
    given = (file, "--source", SOURCE, "--format", "json")
    (told,) = kerawanan("validate", *given, "--marked", tmp_path / "kembali").json["extracts"]
    assert told["refused"].startswith("columns are missing: ")
    assert told["refused_id"].startswith("kolom berikut tidak ada: ")
    assert told["rule"] == "columns_missing"
    listed, line = CalamineWorkbook.from_path(told["marked"]).get_sheet_by_index(0).to_python()
    assert dict(zip(listed, line, strict=True))["Yang perlu dilakukan"] == "Tambahkan kolomnya."
    assert dict(zip(listed, line, strict=True))["What to do"] == "Add them."
    said = kerawanan("validate", file, "--source", SOURCE, "--marked", tmp_path / "kembali").out
    assert f"Marked     {told['marked']}" in said

    checked = kerawanan("sources", "check", *given).json
    assert (checked["refused_id"], checked["rule"]) == (told["refused_id"], told["rule"])
    store = ("--store", tmp_path / "store")
    (refused,) = kerawanan("ingest", *given, *store).json["refused"]
    assert (refused["reason"], refused["reason_id"]) == (told["refused"], told["refused_id"])
    (note,) = kerawanan("extracts", "list", *store, "--format", "json").json["extracts"]
    assert (note["reason"], note["reason_id"], note["rule"]) == (told["refused"], told["refused_id"], told["rule"])


def test_a_workbook_that_cannot_be_marked_is_told_in_both_languages(
    tmp_path: Path, kerawanan: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / PRESS
    file.write_text((EXTRACTS / PRESS).read_text().replace("Bali", "Balii"))
    answer = Readers.answer
    raised: list[KerawananError] = []

    def marks_nothing(self: Readers, job: str, content: bytes, **facts: Any) -> bytes:
        if job == "marked":
            raise Refusal("reader_memory", memory=1.0)
        return answer(self, job, content, **facts)

    def noted(self: Refusal, *given: Any, **values: Any) -> None:
        begin(self, *given, **values)
        raised.append(self)

    begin = Refusal.__init__
    monkeypatch.setattr(Readers, "answer", marks_nothing)
    monkeypatch.setattr(Refusal, "__init__", noted)
    told = kerawanan("validate", file, "--source", SOURCE, "--marked", tmp_path / "kembali")
    assert told.code == 2
    refusal = raised[-1]
    assert isinstance(refusal, Refusal)
    assert refusal.rule == "not_marked"
    assert str(refusal) in told.err
    assert str(refusal).startswith(f"{PRESS} cannot be marked: reading it takes more than 1 GB")
    assert refusal.reason("id").startswith(
        f"{PRESS} tidak dapat ditandai: membacanya memerlukan memori lebih dari 1 GB"
    )


USAGE: dict[str, tuple[str, ...]] = {
    "tidak ada edisi 'ikp-2025'; yang ada: ": ("run", "--edition", "ikp-2025"),
    "tidak ada sumber 'siaran'; sources.yml memuat ": ("validate", "x.csv", "--source", "siaran"),
    "tidak ada penyimpanan di ": ("runs", "list"),
    "kotak masuk ": ("run", "--edition", EDITION, "--inbox", "nowhere"),
    "malam 2199-01-01 belum tiba; ": ("run", "--edition", EDITION, "--as-of", "2199-01-01"),
    "tidak ada angka bagi ": ("run", "--edition", EDITION),
}


@pytest.mark.parametrize("begins", USAGE)
def test_usage_errors_are_said_in_indonesian_too(
    begins: str, tmp_path: Path, kerawanan: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised: list[KerawananError] = []
    begin = KerawananError.__init__

    def noted(self: KerawananError, *given: str) -> None:
        begin(self, *given)
        raised.append(self)

    monkeypatch.setattr(KerawananError, "__init__", noted)
    told = kerawanan(*USAGE[begins], "--store", tmp_path / "store")
    assert told.code == 2
    (sentence,) = raised[-1].sentences
    assert sentence["en"] in told.err
    assert sentence["id"].startswith(begins)
    assert sentence["id"].endswith((".", "?"))


def test_a_storage_that_cannot_be_reached_is_told_in_both_languages(tmp_path: Path) -> None:
    error = Store(str(tmp_path))._reason(PermissionError(13, "Permission denied"))
    assert error == Sentence(
        en="permission is denied; look at the permissions of the folder.",
        id="izin ditolak; periksa izin akses folder.",
    )
