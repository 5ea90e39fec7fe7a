"""Why files are refused: each rule of the dictionary has its sentences, is raised by code, and by a file here."""

import ast
import csv
import io
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from string import Formatter
from types import SimpleNamespace
from typing import Any

import pytest
import python_calamine

from flows.night.intake import Extracts, Refused, source_of
from flows.readers.pool import ReaderLimits, Readers
from flows.readers.process import JOBS, _answer
from schemas.contract.dictionary import packaged_dictionary
from schemas.contract.refusals import Refusal, refusal_of
from schemas.errors import DamagedStore, UsageError
from schemas.methodology.library import Library
from schemas.methodology.regions import Reference
from schemas.methodology.sources import Source
from schemas.sentence import Sentence
from tests.conftest import ROOT
from tests.fuzz.hostile import CASES as HOSTILE
from tests.fuzz.hostile.case import LINES, SOURCE
from tests.inputs.make import made
from tests.inputs.test_cases import CASES as INPUTS
from tests.inputs.test_cases import MODULES
from transforms.extracts.parse import extract_rows
from transforms.extracts.proposal import proposed
from transforms.formats import containers, grids
from warehouse.extracts import raw_store

REFUSALS = packaged_dictionary().refusals
PACKAGES = ("flows", "transforms", "warehouse")
RAISERS = ("Refusal", "ReaderEnded")
WITHOUT_ACTION = {"not_marked"}  # what is to be done is in the reason of the reason

FROM_INPUTS = {
    "archive_broken": "a zip archive with a changed bit",
    "archive_empty": "nothing in zip",
    "archive_in_archive": "gzip in a zip archive",
    "archive_in_gzip": "a zip archive in gzip",
    "archive_locked": "a zip archive with a password",
    "archive_or_workbook_broken": "a workbook cut off",
    "column_twice": "a column twice",
    "columns_missing": "a header that stands too far down",
    "document_type": "entities in a sheet",
    "empty_file": "nothing",
    "gzip_broken": "gzip cut off",
    "json_line_malformed": "NDJSON with a broken line",
    "json_line_without_object": "NDJSON with a line that is no object",
    "json_malformed": "NDJSON as JSON",
    "json_too_deep": "JSON nested deeply",
    "json_without_list": "one JSON object with two lists",
    "json_without_objects": "a JSON list of lists",
    "key_twice": "a JSON key twice in an object",
    "locked_file": "a workbook with a password",
    "lone_carriage_returns": "line ends of old Macs",
    "macros": "macros",
    "malformed_csv": "an open quotation mark",
    "nested_column": "a nested column in Parquet",
    "no_row_asked_for": "no row is asked for",
    "no_rows": "header only in CSV",
    "no_sheet": "a workbook without the sheet",
    "no_table_of_sheets": "ODS as XLSX",
    "not_a_workbook": "a bare table of a web page as XLS",
    "not_parquet": "CSV as Parquet",
    "nul_bytes": "UTF-16 without a mark, to be detected",
    "other_encoding": "UTF-16 where UTF-8 is declared",
    "other_format": "a PDF as CSV",
    "other_header": "a second table with its columns in another order",
    "other_number_style": "a number style contradicted in per cent",
    "other_separator": "another separator than declared",
    "parquet_broken": "Parquet cut off",
    "parquet_unknown_type": "decimals of many places in Parquet",
    "reaches_too_far": "a workbook whose parts are too large",
    "separator_unclear": "a separator that two ways fit",
    "swallowed_rows": "ditto marks",
    "too_large_unpacked": "a gzip bomb",
    "too_many_columns": "100,000 columns in CSV",
    "too_many_files": "more files than are read",
    "too_many_keys": "100,000 columns in JSON",
    "too_wide": "too many columns in Parquet",
    "two_tables": "a table with a misspelt label above another",
    "workbook_broken": "a workbook without its parts",
}
FROM_HOSTILE = {
    "archive_file_twice": "xlsx part twice",
    "cell_in_cell": "ods unclosed cells",
    "cell_of_two_values": "xlsx two figures in a cell",
    "cell_twice": "xls cell twice",
    "cells_out_of_order": "xlsx far cell in a row without number",
    "comments_among_figures": "xlsx comment in a figure",
    "element_misplaced": "xlsx nested rows",
    "elements_in_figures": "xlsx deep nesting",
    "elements_too_deep": "ods deep nesting",
    "foreign_names": "ods names bound otherwise",
    "merged_over_each_other": "xlsx merges over each other",
    "not_utf8": "xlsx in UTF-16",
    "relationship_twice": "xlsx relationship id twice",
    "row_out_of_order": "xlsx row twice",
    "sheet_ids": "xlsx two ids of a sheet",
    "sheet_of_two_names": "xlsx 3,000 sheets are one",
    "sheet_twice": "xlsx sheet name twice",
    "sheet_unseen": "xlsx sheet part above the archive",
    "spaces_in_cell": "ods 10^9 spaces",
    "table_in_table": "ods table in a table",
    "too_many_sheets": "xls 3,000 sheets are one",
    "two_tables_of_rows": "xlsx two tables of rows",
    "two_tables_of_sheets": "xlsx two tables of sheets",
}


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def raised() -> dict[str, list[set[str] | None]]:
    """Each rule that code raises, and the names of the values that it is given (None: not told by looking)."""
    found: dict[str, list[set[str] | None]] = {}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RAISERS:
                    first = node.args[0]
                    if isinstance(first, ast.Constant):
                        names = {each.arg for each in node.keywords}
                        given = None if None in names else {name for name in names if name}
                        found.setdefault(str(first.value), []).append(given)
    return found


def test_code_raises_the_rules_of_the_dictionary_with_their_values() -> None:
    found = raised()
    assert found.keys() == REFUSALS.keys()
    for name, calls in found.items():
        needed = placeholders(REFUSALS[name].message_en) | placeholders(REFUSALS[name].action_en)
        assert all(given is None or given == needed for given in calls), name
    assert not REFUSALS.keys() & packaged_dictionary().rules.keys()


def test_kinds_of_the_code_are_those_of_the_dictionary() -> None:
    kinds = {*grids.SIGNATURES.values(), *raw_store.KINDS.values(), "no_regular_file"}
    assert kinds == packaged_dictionary().kinds.keys()


@pytest.mark.parametrize("name", REFUSALS)
def test_a_rule_is_a_sentence_and_an_action_in_both_languages(name: str) -> None:
    rule = REFUSALS[name]
    assert placeholders(rule.message_en) == placeholders(rule.message_id)
    assert placeholders(rule.action_en) == placeholders(rule.action_id)
    assert rule.message_en != rule.message_id
    texts = [rule.message_en, rule.message_id]
    if name not in WITHOUT_ACTION:
        assert rule.action_en != rule.action_id
        texts += [rule.action_en, rule.action_id]
    for text in texts:
        # In one sentence the first letter becomes a small one, which that of an abbreviation must not.
        assert text[0] == "{" or (text[0].isupper() and not text[1].isupper()), text
        assert text.endswith((".", ".)", "?", "{reason}")), text


def checked(refusal: Refusal, name: str) -> None:
    """A refusal by a rule says why, and what to do, in both languages."""
    assert refusal.rule == name
    english, indonesian = refusal.reason("en"), refusal.reason("id")
    assert str(refusal) == english != indonesian
    assert refusal.sentences == (Sentence(en=english, id=indonesian),)
    if name not in WITHOUT_ACTION:
        assert all(refusal.columns.values())
    told = Refused.by(refusal, "berkas.csv", None, None)
    assert (told.reason, told.reason_id, told.rule) == (english, indonesian, name)


def read(content: bytes, **changes: Any) -> Refusal:
    entry = {**SOURCE, "separator": ";", "encoding": "utf-8", **changes}
    if entry["format"] != "csv":
        del entry["separator"]
    if entry["format"] not in ("csv", "json", "ndjson"):
        del entry["encoding"]
    with pytest.raises(Refusal) as refusal:
        extract_rows(content, Source.model_validate(entry))
    return refusal.value


@pytest.mark.parametrize("name", FROM_INPUTS)
def test_an_input_is_refused_by_its_rule(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = INPUTS[FROM_INPUTS[name]]
    for place, value in case.get("limit", {}).items():
        module, _, constant = place.partition(".")
        monkeypatch.setattr(MODULES[module], constant, value)
        if constant == "LARGEST_CONTENT":
            monkeypatch.setattr(containers._bounded, "__defaults__", (value,))
    with pytest.raises(Refusal) as refusal:
        extract_rows(made(case), Source.model_validate(case["source"]))
    checked(refusal.value, name)


@pytest.mark.parametrize("name", FROM_HOSTILE)
def test_a_hostile_file_is_refused_by_its_rule(name: str) -> None:
    case = HOSTILE[FROM_HOSTILE[name]]
    with pytest.raises(Refusal) as refusal:
        extract_rows(case.make(), case.source)
    checked(refusal.value, name)


Patch = pytest.MonkeyPatch


def _many(module: Any, constant: str, most: int, content: bytes, **changes: Any) -> Callable[[Patch], Refusal]:
    def refused(patch: Patch) -> Refusal:
        patch.setattr(module, constant, most)
        return read(content, **changes)

    return refused


def _long_cell_in_line(patch: Patch) -> Refusal:
    before = csv.field_size_limit(1 << 30)
    try:
        return _many(grids, "LONGEST_CELL", 5, LINES.encode())(patch)
    finally:
        csv.field_size_limit(before)


def _damaged(patch: Patch) -> Refusal:
    class PanicException(BaseException):
        pass

    def panics(_: object) -> None:
        raise PanicException

    patch.setattr(python_calamine.CalamineWorkbook, "from_filelike", panics, raising=False)
    return read(made(INPUTS["long as xlsx"]), format="xlsx", sheet="*")


def _in_latin_1() -> bytes:
    """A workbook whose list of sheets says that it is written in Latin-1."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(made(INPUTS["long as xlsx"]))) as whole,
        zipfile.ZipFile(file, "w") as changed,
    ):
        for name in whole.namelist():
            content = whole.read(name)
            if name == "xl/workbook.xml":
                content = b'<?xml version="1.0" encoding="iso-8859-1"?>' + content.partition(b"?>")[2]
            changed.writestr(name, content)
    return file.getvalue()


def _parquet(rows: int, group: int) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = io.BytesIO()
    table = pa.table({"Wilayah": ["Bali"] * rows, "Indikator": ["Pengaduan"] * rows, "Nilai": [1] * rows})
    pq.write_table(table, file, row_group_size=group)
    return file.getvalue()


@cache
def reference() -> Reference:
    return Library().reference


def _of_proposal(content: str | bytes, name: str = "berkas.csv") -> Callable[[Patch], Refusal]:
    def refused(_: Patch) -> Refusal:
        with pytest.raises(Refusal) as refusal:
            proposed(content.encode() if isinstance(content, str) else content, name, reference())
        return refusal.value

    return refused


def _ended(**facts: bool) -> Callable[[Patch], Refusal]:
    known = {"is_out_of_time": False, "is_out_of_memory": False, "is_ended_outside": False} | facts

    def refused(_: Patch) -> Refusal:
        return Readers(ReaderLimits(memory=500_000_000))._ended(SimpleNamespace(ended_by="SIGKILL", **known))  # type: ignore[arg-type]

    return refused


def _tried_before(_: Patch) -> Refusal:
    readers = Readers(ReaderLimits())
    extracts = Extracts(None, readers, None)  # type: ignore[arg-type]
    why = Refusal("reader_time", seconds=20)
    note = {"memory": readers.limits.memory, "seconds": 20, "noted_at": "2026-01-31T10:00:00", "reason": str(why)}
    refused = []
    for more in ({"refusal": why.as_data()}, {}):  # notes of before have a sentence only
        extracts.__dict__["_unreadable"] = {("x", "y"): [note | more]}
        with pytest.raises(Refusal) as refusal:
            extracts._refuse_unreadable("x", "y")
        refused.append(refusal.value)
    now, before = refused
    assert str(now) == str(before)
    assert now.reason("id").startswith("membacanya memerlukan lebih dari 20 detik")
    return now


def _of_source(*patterns: str) -> Callable[[Patch], Refusal]:
    sources = {f"s{number}": SimpleNamespace(pattern=pattern) for number, pattern in enumerate(patterns)}

    def refused(_: Patch) -> Refusal:
        with pytest.raises(Refusal) as refusal:
            source_of("berkas.csv", sources)  # type: ignore[arg-type]
        return refusal.value

    return refused


def _of_file(make: Callable[[Path], Path], most: int = 10) -> Callable[[Patch], Refusal]:
    def refused(patch: Patch) -> Refusal:
        import tempfile

        patch.setattr(raw_store, "LARGEST", most)
        with tempfile.TemporaryDirectory() as folder, pytest.raises(Refusal) as refusal:
            raw_store.file_content(make(Path(folder)))
        return refusal.value

    return refused


def _large(folder: Path) -> Path:
    (folder / "a.csv").write_bytes(b"x" * 20)
    return folder / "a.csv"


def _unforeseen(patch: Patch) -> Refusal:
    def breaks(_: bytes) -> bytes:
        raise IndexError("list index out of range")

    patch.setitem(JOBS, "rows", breaks)
    return refusal_of(_answer({"job": "rows", "facts": {}}, b"")[0]["refused"])


THREE = "Wilayah;Jumlah\nBali;1\nAceh;2\nRiau;3\n"
RAISED: dict[str, Callable[[Patch], Refusal]] = {
    "file_unreadable": _of_file(lambda folder: folder / "nowhere.csv"),
    "not_a_file": _of_file(lambda folder: folder),
    "too_large": _of_file(_large),
    "name_of_several_sources": _of_source("*.csv", "berkas*"),
    "name_of_no_source": _of_source("*.xlsx"),
    "tried_before": _tried_before,
    "reader_time": _ended(is_out_of_time=True),
    "reader_memory": _ended(is_out_of_memory=True),
    "reader_outside": _ended(is_ended_outside=True),
    "reader_end": _ended(),
    "unforeseen": _unforeseen,
    "not_text": lambda _: read(b"\x81\xff", encoding="detect"),
    "no_separator": lambda _: read(b"Wilayah\nBali\n", separator="detect"),
    "too_many_lines": _many(grids, "MOST_LINES", 1, LINES.encode()),
    "too_many_cells": _many(grids, "LARGEST_GRID", 4, LINES.encode()),
    "long_cell": _many(grids, "LONGEST_CELL", 3, b'[{"Wilayah": "Bali"}]', format="json"),
    "long_cell_in_line": _long_cell_in_line,
    "json_line_too_deep": lambda _: read(b"[" * 100_000, format="ndjson"),
    "too_many_objects": _many(grids, "MOST_OBJECTS", 1, b'[{"Wilayah": "Bali"}]', format="json"),
    "too_many_row_groups": _many(grids, "MOST_GROUPS", 2, _parquet(6, 2), format="parquet"),
    "too_much_text": _many(grids, "LARGEST_TEXT", 5, _parquet(2, 2), format="parquet"),
    "other_xml_encoding": lambda _: read(_in_latin_1(), format="xlsx", sheet="*"),
    "workbook_damaged": _damaged,
    "kind_and_name_differ": _of_proposal(b"%PDF-1.7"),
    "no_ending": _of_proposal(THREE, "berkas.doc"),
    "no_header": _of_proposal("1;2\n3;4\n"),
    "no_region_column": _of_proposal("Nama;Jumlah\nA;1\nB;2\nC;3\n"),
    "no_figure_column": _of_proposal("Wilayah;Catatan\nBali;a\nAceh;b\nRiau;c\n"),
    "no_item_column": _of_proposal("Wilayah;Tingkat Kejadian;Jumlah\nBali;berat;1\nAceh;ringan;2\nRiau;berat;3\n"),
    "no_entry": _of_proposal(
        "Wilayah;Tingkat Kejadian;Indikator;Jumlah\nBali;berat;;1\nAceh;ringan;;2\nRiau;berat;;3\n"
    ),
}
# What only a night or a command raises; the tests of these look at the sentences.
ELSEWHERE = {
    "name_unprintable": "tests/flows/test_refused_files.py",
    "too_much_quarantined": "tests/flows/test_refused_files.py",
    "not_marked": "tests/flows/test_refused_files.py",
}


@pytest.mark.parametrize("name", RAISED)
def test_a_file_is_refused_by_a_rule(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    checked(RAISED[name](monkeypatch), name)


def test_every_rule_is_raised_by_a_test() -> None:
    assert {*FROM_INPUTS, *FROM_HOSTILE, *RAISED, *ELSEWHERE} == REFUSALS.keys()
    assert all(f'"{name}"' in (ROOT / file).read_text() for name, file in ELSEWHERE.items())


def test_lists_and_numbers_are_written_as_in_each_language() -> None:
    found = [f"kolom {number}" for number in range(1_041)]
    refusal = Refusal("columns_missing", "Rekap", missing=[("Wilayah", "Daerah"), ("Nilai",)], found=found)
    assert str(refusal).startswith(
        "Rekap: columns are missing: Wilayah or Daerah, Nilai (columns found: kolom 0, kolom 1"
    )
    assert str(refusal).endswith("kolom 39 and 1,001 more); add them.")
    indonesian = refusal.reason("id")
    assert indonesian.startswith("Rekap: kolom berikut tidak ada: Wilayah atau Daerah, Nilai (kolom yang ditemukan:")
    assert indonesian.endswith("kolom 39 dan 1.001 lainnya); tambahkan kolomnya.")
    assert refusal.columns["message_id"].startswith("Kolom berikut tidak ada")
    nothing = Refusal("no_sheet", sheet="Rekap", sheets=[])
    assert "(sheets: none)" in str(nothing)
    assert "(lembar yang ada: tidak ada)" in nothing.reason("id")
    assert (
        Refusal("reader_memory", memory=0.5).reason("id").startswith("membacanya memerlukan memori lebih dari 0,5 GB")
    )
    # What was sent may look like a placeholder.
    assert "'{sheets}'" in str(Refusal("no_sheet", sheet="{sheets}", sheets=["{sheet}"]))


def test_half_a_character_that_was_sent_does_not_get_into_tables() -> None:
    refusal = read(b'[{"\\ud800": 1, "\\ud800": 2}]', format="json")
    assert refusal.rule == "key_twice"
    assert "The key ? stands twice" in refusal.columns["message_en"]
    assert refusal.reason("id").encode()


def test_a_refusal_of_a_file_in_an_archive_names_that() -> None:
    case = INPUTS["a zip archive with a file that is no table"]
    with pytest.raises(Refusal) as refusal:
        extract_rows(made(case), Source.model_validate(case["source"]))
    assert refusal.value.part == "baca.pdf"
    assert refusal.value.reason("id").startswith("baca.pdf: berkas ini dokumen PDF, bukan CSV; ")
    assert refusal_of(refusal.value.as_data()).sentences == refusal.value.sentences


def test_a_rule_that_the_dictionary_lacks_is_named() -> None:
    with pytest.raises(LookupError, match="'nothing_like_it'"):
        str(Refusal("nothing_like_it"))


def test_what_has_no_indonesian_is_said_in_english() -> None:
    assert UsageError("a").sentences == (Sentence(en="a", id="a"),)
    assert UsageError("a", "b").sentences == (Sentence(en="a", id="b"),)
    (damage,) = DamagedStore("x: it is missing.").sentences
    assert damage["en"].endswith("looks at the whole store.")
    assert damage["id"].endswith("memeriksa seluruh penyimpanan.")
