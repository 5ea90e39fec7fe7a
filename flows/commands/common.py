"""What all commands share: how they are added to the command line, and the types of their arguments."""

import argparse
from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.clock import jakarta

if TYPE_CHECKING:
    from flows.readers.pool import Readers
    from flows.results.page import Page
    from flows.settings import Settings

OK, HELD = 0, 3  # exit codes, beside those of schemas.errors
SHOWN_ROWS = 10
SNAPSHOT_HELP = "its id, or the beginning of it; snapshots list shows them"

Answer = tuple[int, dict[str, Any]]
Body = Callable[[Namespace, "Settings"], Answer]
Text = Callable[["Page", Mapping[str, Any]], None]
Commands = Any  # what argparse's add_subparsers returns, which has no public type


def common_arguments() -> argparse.ArgumentParser:
    """The arguments that every command takes."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--store", metavar="URL", help="folder, or s3://bucket/prefix (KERAWANAN_STORE; default ./store)"
    )
    common.add_argument(
        "--methodology", metavar="DIR", type=Path, help="folder with editions, sources ... of your own, laid over ours"
    )
    common.add_argument(
        "--log", choices=("none", "json"), help="json: a line on stderr for each step of a night (KERAWANAN_LOG)"
    )
    common.add_argument("--format", choices=("text", "json"), default="text", help="json: one document on stdout")
    return common


def add(to: Commands, name: str, body: Body, text: Text, about: str) -> argparse.ArgumentParser:
    """A command: `body` computes its exit code and its answer, `text` says the answer to people."""
    child: argparse.ArgumentParser = to.add_parser(name, help=about, description=about, parents=[common_arguments()])
    child.set_defaults(body=body, text=text)
    return child


def date_of(text: str) -> date:
    """A day like 2026-01-31."""
    try:
        day = date.fromisoformat(text)
        if 1945 <= day.year <= 2200:
            return day
        raise ValueError
    except ValueError:
        raise ArgumentTypeError(f"'{text}' is not a date like 2026-01-31") from None


def reason(text: str) -> str:
    """A reason that says something."""
    if not text.strip():
        raise ArgumentTypeError("a reason says something")
    return text.strip()


def time_of(text: str) -> datetime:
    """A time like 2026-01-31T18:00, in Jakarta where it does not say."""
    try:
        time = datetime.fromisoformat(text)
        date_of(f"{time:%Y-%m-%d}")
    except (ValueError, ArgumentTypeError):
        raise ArgumentTypeError(f"'{text}' is not a time like 2026-01-31T18:00") from None
    return (time if time.tzinfo else time.replace(tzinfo=jakarta())).astimezone(UTC)


def ready_readers(settings: "Settings") -> "Readers":
    """What reads files, one of them already getting ready."""
    from flows.readers.pool import readers_within

    readers = readers_within(settings.reading)
    readers.start()
    return readers


def today() -> date:
    """The day in Jakarta."""
    return datetime.now(jakarta()).date()


def must_know(edition: str | None, found: Sequence[Any], settings: "Settings") -> None:
    """An edition of which the store has nothing is at least one of the methodology's."""
    from schemas.methodology.library import Library

    if edition and not found:
        Library(settings.methodology).must_have(edition)
