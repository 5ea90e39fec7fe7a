"""One word has one meaning: names keep to docs/glossary.md, and the glossary to the words that are used."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.methodology.library import Library
from tests.conftest import ROOT

PACKAGES = ("flows", "transforms", "schemas", "warehouse")
GLOSSARY = (ROOT / "docs/glossary.md").read_text()
TERMS, AVOIDED = (
    re.findall(r"^\| ([^|]+?) \|", part, re.MULTILINE) for part in GLOSSARY.split("## Words we do not use")
)


def words(name: str) -> set[str]:
    """The words of a name in snake_case or CamelCase."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


def avoided() -> set[str]:
    """The words of the list, each in all its forms there."""
    return {word.strip() for row in AVOIDED for word in row.split(",")} - {"word", "---"}


def defined(path: Path) -> Iterator[str]:
    """The names that a module defines: its own, functions, classes, parameters, fields and variables."""
    yield from path.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name
            case ast.alias(asname=str(name)):
                yield name


@pytest.mark.parametrize("package", PACKAGES)
def test_names_of_the_code_are_words_of_the_field(package: str) -> None:
    wrong = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in (ROOT / package).rglob("*.py")
        for name in defined(path)
        if words(name) & avoided()
    }
    assert not wrong, "docs/glossary.md says what to say instead"


def test_names_of_tables_columns_and_statements_are_words_of_the_field() -> None:
    dictionary = Library().dictionary
    statements = {path.stem for path in (ROOT / "warehouse").rglob("*.sql")} - dictionary.rules.keys()  # published
    names = {*dictionary.tables, *dictionary.columns, *statements}
    assert not {name for name in names if words(name) & avoided()}


def test_columns_made_in_statements_are_words_of_the_field() -> None:
    published = Library().dictionary.measures.keys()
    for path in (ROOT / "warehouse").rglob("*.sql"):
        made = re.findall(r"\bas (\w+)", path.read_text())
        assert not {name for name in made if words(name) & avoided()} - published, path


def test_every_term_is_used() -> None:
    sources = [
        path for package in PACKAGES for suffix in ("py", "sql") for path in (ROOT / package).rglob(f"*.{suffix}")
    ]
    pages = [path for path in (ROOT / "docs").rglob("*.md") if path.name != "glossary.md"]
    used = re.sub(r"[_\s]+", " ", " ".join(path.read_text() for path in [*sources, *pages])).lower()
    unused = [
        term for term in TERMS if term not in ("term", "---") and term.replace("-", " ") not in used.replace("-", " ")
    ]
    assert not unused


def test_a_wrong_name_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = tmp_path / "flows" / "module.py"
    module.parent.mkdir()
    module.write_text(
        "import os as place\nclass Told:\n    def at(self, lostRow):\n        self.seen = was_asked = 1\n"
    )
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    found = {name for name in defined(module) if words(name) & avoided()}
    assert found == {"place", "Told", "lostRow", "seen", "was_asked"}
