"""Everything that people read in the terminal is said in Indonesian or in English; JSON is the same in both."""

import ast
import io
import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
from rich.console import Console

from flows.cli import main
from flows.language import current_language, language_of, speaking
from flows.night.backfill import State
from flows.night.request import Outcome
from flows.results.answer import Answer as Kind
from flows.results.answer import plain
from flows.results.damage import damage_sentence
from flows.results.page import Page
from flows.results.words import HEADS, VALUES
from schemas.methodology.library import Library
from schemas.sentence import LANGUAGES, Language, Sentence
from tests.conftest import EXTRACTS, ROOT, Answer, Published
from tests.flows.answers import answers, samples

Cli = Callable[..., Answer]
KINDS = sorted(set(answers()), key=lambda each: each.__name__)
# Words that a sentence of the one language has and one of the other does not.
WORDS: Mapping[Language, str] = {
    "en": "a an and are as at be because been before but by did does done for from has have held if in is it its look "
    "more missing next no none not nothing of on only or other out read refused region regions reported rows says "
    "sent stands than that the them then there they this to top was were what where which who why with would wrong",
    "id": "ada adalah akan atau belum berubah dan dari dengan di dihapus dihitung ditarik dikarantina ditolak diterima "
    "hari ini itu karena lagi malam perlu sampai sebagai sebab seluruhnya semua sesudah sudah tetap tidak untuk "
    "wilayah yang",
}
OTHER: Mapping[Language, Language] = {"id": "en", "en": "id"}


def shown(answer: Kind, language: Language, **how: Any) -> str:
    file = io.StringIO()
    with speaking(language):
        answer.show(Page(Console(file=file, width=400, highlight=False, markup=False, emoji=False, **how)))
    return file.getvalue()


def foreign(text: str, language: Language) -> set[str]:
    """Words of the other language in a text that should be in this one."""
    words = set(re.findall(r"(?<![\w./'-])[a-z]+(?![\w/'=-])", text.lower()))
    return words & set(WORDS[OTHER[language]].split())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_answer_is_said_in_one_language(kind: type[Kind], language: Language) -> None:
    for answer in samples(kind):
        text = shown(answer, language)
        # What an edition's file says stands in the language it was written in.
        text = "\n".join(line for line in text.splitlines() if not line.startswith(("Comparab", "Keterband")))
        if kind.__name__ != "EditionAnswer":
            assert not foreign(text, language), text


def test_a_foreign_word_would_be_found() -> None:
    assert foreign("3 snapshot di x1: verified, nothing was changed", "id") == {"nothing", "was"}
    assert foreign("3 snapshot(s): tidak ada", "en") == {"tidak", "ada"}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_json_has_no_language(kind: type[Kind]) -> None:
    for answer in samples(kind):
        found = {}
        for language in LANGUAGES:
            with speaking(language):
                found[language] = json.dumps(answer.as_json(), default=str)
        assert found["id"] == found["en"]
        assert "kalimat itu" not in found["id"]


def test_all_damage_is_said_in_both_languages() -> None:
    sentences = [
        sentence
        for name in ("damage", "verify")
        for call in ast.walk(ast.parse((ROOT / f"warehouse/snapshots/{name}.py").read_text()))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Damage"
        for sentence in [_as_said(call.args[1])]
    ]
    assert len(sentences) > 20
    for english in sentences:
        assert damage_sentence(english).id != english, english


def _as_said(node: ast.expr) -> str:
    """The text of a literal, with `x1` in place of what is filled in."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "x1" for part in node.values)
    assert isinstance(node, ast.Constant), ast.unparse(node)
    return str(node.value)


def test_every_coded_word_is_called_something() -> None:
    columns = Library().dictionary.columns
    coded = {*get_args(Outcome), *get_args(State)}
    for name in ("region_level", "approach", "origin", "state", "outcome"):
        coded |= set(columns[name].values)
    assert coded <= VALUES.keys()
    assert all({*VALUES.values(), *HEADS.values()})


def test_a_sentence_is_english_where_nobody_reads_it() -> None:
    both = Sentence("satu", "one")
    assert (str(both), both["id"], both["en"], plain(both)) == ("one", "satu", "one", "one")


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "id_ID.UTF-8"}, "id"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "id_ID.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "C", "LC_MESSAGES": "id_ID"}, "id"),
        ({"LANG": "id_ID", "LC_MESSAGES": ""}, "id"),
        ({"LANG": "id_ID", "KERAWANAN_LANG": "en"}, "en"),
        ({"KERAWANAN_LANG": "id"}, "id"),
    ],
)
def test_the_locale_decides_where_nothing_is_said(
    environment: dict[str, str], language: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LANG", "LC_ALL", "LC_MESSAGES", "KERAWANAN_LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert language_of() == language
    assert language_of("id") == "id"


def test_lang_is_heeded_by_answers_and_by_errors(published: Published, kerawanan: Cli) -> None:
    store = ("--store", published[0].store)
    assert "1 snapshot di" in kerawanan("snapshots", "list", *store, "--lang", "id").out
    assert "1 snapshot(s) in" in kerawanan("snapshots", "list", *store).out
    wrong = ("snapshots", "show", "nope", *store)
    assert "there is no such snapshot" in kerawanan(*wrong).err
    assert "tidak ada snapshot itu" in kerawanan(*wrong, "--lang", "id").err
    assert "tidak ada snapshot itu" in kerawanan("--lang", "id", *wrong).err
    assert "bukan tanggal" in kerawanan("run", "--edition", "x", "--as-of", "nonsense", "--lang=id").err
    assert kerawanan("snapshots", "list", *store, "--lang", "fr").code == 2
    assert current_language() == "en"


def test_a_wrong_language_in_the_environment_is_named(kerawanan: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAWANAN_LANG", "fr")
    answer = kerawanan("methodology", "list")
    assert (answer.code, answer.err) == (2, "kerawanan: lang 'fr' is not 'id' or 'en'\n")


def test_a_night_is_said_in_indonesian(published: Published, kerawanan: Cli) -> None:
    found = {
        language: kerawanan("snapshots", "show", published[1].snapshot_id, "--store", published[0].store, *asked)
        for language, asked in {"id": ("--lang", "id"), "json": ("--lang", "id", "--format", "json")}.items()
    }
    assert "Teratas: provinsi / masukan" in found["id"].out
    assert found["json"].json["top_of"] == "province / input"


@pytest.mark.slow
def test_what_is_wrong_with_a_file_is_said_in_both_languages(tmp_path: Path, kerawanan: Cli) -> None:
    file = tmp_path / "coba.csv"
    file.write_text("Provinsi;Variabel;Skor;Alamat sumber\nProv. Bali;Input provinsi;9999;x\n")
    ask = ("validate", file, "--source", "siaran-pers-provinsi")
    indonesian, english = kerawanan(*ask, "--lang", "id").out, kerawanan(*ask).out
    assert "9999 berada di luar rentang" in indonesian
    assert "baris 2 (Prov. Bali / Input provinsi)" in indonesian
    assert not foreign(indonesian.replace(str(file), ""), "id")
    assert "9999 lies outside the domain" in english
    assert not foreign(english, "en")
    proposed = kerawanan("sources", "propose", EXTRACTS / "siaran-pers-provinsi-2022-12-16.csv", "--lang", "id").out
    remarks = "\n".join(line for line in proposed.splitlines() if line.startswith("#"))
    assert "unit adalah perkiraan" in remarks
    assert not foreign(remarks, "id")


@pytest.mark.parametrize(("environment", "is_coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colour_where_a_terminal_is(
    environment: dict[str, str], is_coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    (kind,) = [each for each in KINDS if each.__name__ == "NightAnswer"]
    answer = next(samples(kind))
    assert ("\x1b[1;32m" in shown(answer, "en", force_terminal=True)) is is_coloured
    assert "\x1b" not in shown(answer, "en")


def test_an_error_is_red_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    import pty

    ours, theirs = pty.openpty()
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr("sys.stderr", terminal)
        assert main(["snapshots", "list", "--store", "/nowhere/at/all"]) == 2
        terminal.flush()
        said = ""
        while "\n" not in said:
            said += os.read(ours, 100_000).decode()
    os.close(ours)
    assert "\x1b[1;31mkerawanan:" in said
    assert "there is no store at /nowhere/at/all" in said
