"""What is printed for people cannot command a terminal, whoever chose its names and cells."""

import json
import os
import re
import shutil
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import IO, NoReturn

from schemas.errors import did_you_mean


def printable(text: str) -> str:
    """The text with a mark instead of each control character: C0, C1, directions of writing, zero width."""
    return "".join(mark if mark.isprintable() or mark == "\n" else "\ufffd" for mark in text)


def escaped(document: str) -> str:
    """A JSON document that says the same, with each control character in its strings as an escape."""
    return re.sub(
        r"[^\n\x20-\x7e]", lambda mark: mark[0] if mark[0].isprintable() else json.dumps(mark[0])[1:-1], document
    )


class Parser(ArgumentParser):
    """Says what is wrong with a command line without repeating its control characters."""

    def error(self, message: str) -> NoReturn:
        """End with a sentence; a command that is misspelt gets the nearest one."""
        wrong = re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message)
        like = did_you_mean(wrong[1], re.findall(r"[a-z][a-z-]*", wrong[2])) if wrong else ""
        super().error(message + like)

    def _print_message(self, message: str, file: IO[str] | None = None) -> None:  # type: ignore[override]
        super()._print_message(printable(message), file)


def program() -> str:
    """What to type to call this program again from here."""
    called = Path(sys.argv[0])
    if called.name != "kerawanan" or shutil.which("kerawanan") == str(called):
        return "kerawanan"
    return os.path.relpath(called) if called.is_relative_to(Path.cwd()) else str(called)
