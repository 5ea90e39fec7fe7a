"""A shell that asks is told how a command line may go on."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import EDITION, Answer, Published

PROGRAM = Path(sys.executable).parent / "kerawanan"


def offered(line: str, folder: Path, **environment: str) -> set[str]:
    """What is offered at the end of a line, asked as the scripts of argcomplete ask."""
    answer = folder / "answer"
    answer.write_text("")
    asked = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "COMP_TYPE": "9",
    }
    subprocess.run([PROGRAM], env={**os.environ, **asked, **environment}, cwd=folder, check=True)
    return {each for each in answer.read_text().split("\n") if each and not each.startswith("--")}


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("kerawanan sna", {"snapshots"}),
        ("kerawanan snapshots w", {"withdraw"}),
        ("kerawanan run --format ", {"text", "json"}),
        ("kerawanan run --edition ikp-2024-p", {EDITION}),
        ("kerawanan methodology show ikp-2024-p", {EDITION}),
        ("kerawanan validate x.csv --source siaran", {"siaran-pers-provinsi"}),
        ("kerawanan run --inbox fol", {"folder/"}),
        ("kerawanan run --as-of ", set()),
        ("kerawanan snapshots show ", set()),  # there is no store
        ("kerawanan snapshots show --store s3://bucket/prefix ", set()),  # nobody asks a bucket at every key
    ],
)
def test_commands_choices_editions_sources_and_files_are_offered(line: str, names: set[str], tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert offered(line, tmp_path) == names


def test_snapshots_and_runs_are_those_of_the_store(bundled: Published, tmp_path: Path) -> None:
    nights, night = bundled
    assert offered("kerawanan snapshots promote run", tmp_path, KERAWANAN_STORE=str(nights.store)) == {
        night.snapshot_id
    }
    assert offered(f"kerawanan runs show --store {nights.store} ", tmp_path) == {"run-001"}


def test_editions_and_sources_of_a_folder_of_ones_own_are_offered(tmp_path: Path) -> None:
    (tmp_path / "own/editions/mine").mkdir(parents=True)
    (tmp_path / "own/sources.yml").write_text("# of ours\nour-forms:\n  title: ours\n")
    assert "mine" in offered("kerawanan run --methodology own --edition ", tmp_path)
    assert offered("kerawanan ingest --methodology own --source our", tmp_path) == {"our-forms"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_is_given_its_script(shell: str, kerawanan: Callable[..., Answer], tmp_path: Path) -> None:
    answer = kerawanan("--completion", shell)
    assert (answer.code, "kerawanan" in answer.out) == (0, True)
    if shutil.which(shell):
        script = tmp_path / "script"
        script.write_text(answer.out)
        subprocess.run([shell, "-n", script], check=True)


def test_bash_completes_with_what_it_is_given(tmp_path: Path) -> None:
    lines = (
        f'eval "$({PROGRAM} --completion bash)"',
        'COMP_LINE="kerawanan run --edition ikp-2024-p" COMP_TYPE=9',
        "COMP_POINT=${#COMP_LINE}",
        f"_python_argcomplete {PROGRAM}",
        'echo "${COMPREPLY[@]}"',
    )
    done = subprocess.run(["bash", "-c", "\n".join(lines)], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == EDITION
