"""A misspelt store or edition is an error, and nothing that is printed commands a terminal."""

import json
from pathlib import Path

import pytest

from flows.cli import main
from flows.results.terminal import escaped, printable
from schemas.errors import WRONG_USAGE

HOSTILE = "a\x1b[31m\x9b\u202e\u200b\x07b"
READING = [
    ["extracts", "list"], ["extracts", "show", "x"], ["runs", "list"], ["runs", "show", "x"], ["snapshots", "list"],
    ["snapshots", "show", "x"], ["snapshots", "diff", "x", "y"], ["snapshots", "prune"], ["snapshots", "verify"],
]  # fmt: skip


@pytest.mark.parametrize("command", READING, ids=" ".join)
@pytest.mark.parametrize("exists", [False, True])
def test_what_never_was_a_store_is_an_error(
    command: list[str], exists: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "misspelt"
    if exists:
        (place / "other").mkdir(parents=True)
    assert main([*command, "--store", str(place)]) == WRONG_USAGE
    assert f"there is no store at {place}" in capsys.readouterr().err
    assert exists or not place.exists()


@pytest.mark.parametrize("command", ["runs", "snapshots"])
def test_an_unknown_edition_is_named(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "something").write_text("kept")
    assert main([command, "list", "--store", str(tmp_path), "--edition", "nonsense"]) == WRONG_USAGE
    assert "there is no edition 'nonsense'" in capsys.readouterr().err


def test_errors_do_not_command_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "list", "--store", str(tmp_path / HOSTILE)]) == WRONG_USAGE
    with pytest.raises(SystemExit):
        main(["runs", "list", "--unknown" + HOSTILE])
    told = capsys.readouterr().err
    assert "there is no store" in told
    assert "--unknown" in told
    assert printable(told) == told


def test_json_says_the_same_in_escapes() -> None:
    document = escaped(json.dumps({"name": HOSTILE + "é\U000e0001"}, indent=1, ensure_ascii=False))
    assert json.loads(document) == {"name": HOSTILE + "é\U000e0001"}
    assert "é" in document
    assert printable(document) == document
