"""What a newcomer finds beside the code works: hooks, container, diagrams, places to change things."""

import json
import re
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT

ROW = re.compile(r"^\| (.+?) \| (.+?) \|", re.MULTILINE)
_, STEPS, _, PLACES, _ = (ROW.findall(part)[1:] for part in (ROOT / "docs/architecture.md").read_text().split("\n## "))


def test_hooks_are_the_tools_of_the_project_and_fetch_nothing() -> None:
    repos = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [each["repo"] for each in repos] == ["local"]
    for hook in repos[0]["hooks"]:
        assert hook["language"] == "system"
        programs = re.findall(r"\.venv/bin/([\w-]+)", hook["entry"])
        assert programs, hook["id"]
        lock = (ROOT / "requirements-dev.lock").read_text()
        for program in programs:
            package = {"lint-imports": "import-linter"}.get(program, program)
            assert program == "python" or re.search(rf"^{package}==", lock, re.MULTILINE), program


def test_the_container_has_the_python_of_the_project() -> None:
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
    assert re.match(r"python:3\.11\b", container["image"])
    made, hooks = container["postCreateCommand"].split(" && ")
    assert (made, hooks) == ("make dev", ".venv/bin/prek install")
    assert re.search(r"^dev: \$\(READY_DEV\)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert re.search(r"^prek==", (ROOT / "requirements-dev.lock").read_text(), re.MULTILINE)


def test_the_diagram_of_a_night_has_its_steps() -> None:
    """The page names them in order, and they are functions of one file."""
    names = [name for name, _ in STEPS]
    defined = re.findall(r"^def (\w+)", (ROOT / "flows/night/steps.py").read_text(), re.MULTILINE)
    assert [name for name in defined if name in names] == names
    assert " -> ".join(names) in (ROOT / "docs/diagrams/night.dot").read_text()


@pytest.mark.parametrize(("wish", "answer"), PLACES, ids=[wish for wish, _ in PLACES])
def test_what_is_changed_somewhere_is_there(wish: str, answer: str) -> None:
    paths = [each for each in re.findall(r"`([\w./]+)`", answer) if "/" in each]
    assert 1 <= len(paths) <= 3, wish
    assert not [each for each in paths if not Path(ROOT / each).exists()]


def test_ten_wishes_are_answered() -> None:
    assert len(PLACES) == 10
