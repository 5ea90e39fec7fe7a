"""Completion in shells: commands and options as argparse knows them, names as folders show them. Nothing is imported
here but by a shell that requests it.
"""

import os
import re
import sys
from argparse import Action, ArgumentParser, Namespace
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path

import argcomplete
from argcomplete.completers import BaseCompleter, FilesCompleter
from argcomplete.shell_integration import shellcode

PROGRAM = "kerawanan"
ENTRY = re.compile(r"^(\w[\w.-]*):", re.MULTILINE)  # of sources.yml


def complete(parser: ArgumentParser) -> None:
    """Report to the shell how a command line may go on, and end."""
    argcomplete.autocomplete(parser, always_complete_options="long", default_completer=Names())


def script(shell: str) -> str:
    """What a shell evaluates to complete this program."""
    called = Path(sys.argv[0]).absolute()
    # Bash and zsh call what was typed; fish needs the path of the program.
    needs_path = shell == "fish" and called.name == PROGRAM
    return shellcode([PROGRAM], shell=shell, argcomplete_script=str(called) if needs_path else None)


class Names(BaseCompleter):
    """What an argument without fixed choices may be: an edition, a source, a snapshot, a run, or a file."""

    def __call__(self, *, prefix: str, action: Action, parsed_args: Namespace, **_: object) -> Iterable[str]:
        """The names; where there are none to choose from, nothing."""
        methodology = [Path(str(files("methodology"))), *_given(parsed_args, "methodology")]
        store = next(_given(parsed_args, "store"), Path("store"))
        if action.dest == "edition":
            return {each.name for root in methodology for each in _folders(root / "editions")}
        if action.dest == "source":
            described = [root / "sources.yml" for root in methodology]
            return {name for file in described if file.is_file() for name in ENTRY.findall(file.read_text("utf-8"))}
        if action.metavar == "SNAPSHOT":
            return [each.name for edition in _folders(store / "snapshots") for each in _folders(edition)]
        if action.metavar == "RUN":
            return [each.name for each in _folders(store / "runs")]
        if action.dest == "store" or action.type is Path:
            return FilesCompleter()(prefix)
        return ()


def _given(options: Namespace, name: str) -> Iterator[Path]:
    """The folder that an option names, or its variable of the environment."""
    given = getattr(options, name, None) or os.environ.get(f"KERAWANAN_{name.upper()}")
    return iter([Path(given)] if given else [])


def _folders(folder: Path) -> list[Path]:
    """Folders in a folder; none in a bucket, where a listing takes too long."""
    return sorted(each for each in folder.iterdir() if each.is_dir()) if folder.is_dir() else []
