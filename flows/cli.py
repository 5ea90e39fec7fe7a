"""The command line. Every command prints what it did for people, or with --format json one JSON document on stdout."""

import argparse
import io
import json
import os
import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from flows.commands import backfill, extracts, ingest, methodology, run, runs, snapshots, sources, validate
from flows.commands.common import Body, add_language
from flows.language import current_language, in_words, language_of, speaking
from flows.results.terminal import Parser, escaped, printable
from schemas.errors import FAILED, KerawananError, unforeseen

if TYPE_CHECKING:
    from flows.settings import Settings

COMMANDS = (ingest, validate, extracts, sources, run, backfill, runs, snapshots, methodology)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code. A user's mistake is one message on stderr, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    given = sys.argv[1:] if arguments is None else arguments
    with speaking(language_of(_requested_language(given))):
        commands = parser()
        if "_ARGCOMPLETE" in os.environ:
            from flows.commands.completion import complete

            complete(commands)
        return _run(commands.parse_args(arguments))


def _requested_language(arguments: Sequence[str]) -> str | None:
    """What follows --lang: messages about a wrong command line are in that language too."""
    for argument, following in pairwise([*arguments, ""]):
        if argument == "--lang":
            return following
        if argument.startswith("--lang="):
            return argument.removeprefix("--lang=")
    return None


def _run(options: argparse.Namespace) -> int:
    from flows.log import logged
    from flows.settings import Settings, WrongSettings, settings_from

    try:
        settings = settings_from({name: getattr(options, name, None) for name in Settings.model_fields})
    except WrongSettings as error:
        for sentence in error.sentences:
            _complain(sentence[current_language()], error.exit_code)
        return error.exit_code
    with logged(settings.log):
        return _answer(options, settings)


def _answer(options: argparse.Namespace, settings: "Settings") -> int:
    try:
        body: Body = options.body
        answer = body(options, settings)
    except KerawananError as error:
        for sentence in error.sentences:
            _complain(sentence[current_language()], error.exit_code)
        return error.exit_code
    except OSError as error:
        return _complain(f"{error.filename or settings.store}: {error.strerror or error}", FAILED)
    except Exception as error:  # the last resort: no input may end in a traceback
        return _complain(in_words(unforeseen(error)), FAILED)
    if options.format == "json":
        sys.stdout.write(escaped(json.dumps(answer.as_json(), indent=1, ensure_ascii=False, default=str)) + "\n")
    else:
        from flows.results.page import Page

        answer.show(Page())
    return answer.exit_code


def _complain(message: str, code: int) -> int:
    if not sys.stderr.isatty():
        sys.stderr.write(printable(f"kerawanan: {message}\n"))
        return code
    from rich.console import Console

    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    console.print("kerawanan:", style="bold red", end=" ")
    console.print(printable(message), soft_wrap=True)
    return code


class Version(argparse.Action):
    """Prints the version of the installed program; it is looked up only when somebody wants it."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Print it, and end."""
        from importlib.metadata import version

        sys.stdout.write(f"kerawanan {version('kerawanan')}\n")
        parser.exit()


class Completion(argparse.Action):
    """Prints what a shell evaluates to complete command lines of this program."""

    def __call__(self, parser: argparse.ArgumentParser, _: object, shell: object, *__: object) -> None:
        """Print it, and end."""
        from flows.commands.completion import script

        sys.stdout.write(script(str(shell)))
        parser.exit()


def parser() -> argparse.ArgumentParser:
    """The parser of the command line."""
    parser = Parser(
        prog="kerawanan",
        description="The election vulnerability index of Indonesia (Indeks Kerawanan Pemilu), reproducible.",
        epilog="Exit codes: 0 done, 1 failed or damage found, 2 wrong usage or nothing usable, 3 held by the gate.",
    )
    parser.add_argument("--version", action=Version, nargs=0, help="the version of this program")
    shells = ("bash", "zsh", "fish")
    parser.add_argument("--completion", action=Completion, choices=shells, help="what completes commands in a shell")
    add_language(parser)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for each in COMMANDS:
        each.add_to(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
