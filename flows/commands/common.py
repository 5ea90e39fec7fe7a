"""What all commands share: how they are added to the command line, and the types of their arguments."""

import argparse
from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.clock import jakarta
from flows.language import in_words
from schemas.sentence import LANGUAGES, Sentence

if TYPE_CHECKING:
    from flows.readers.pool import Readers
    from flows.results.answer import Answer
    from flows.settings import Settings

SNAPSHOT_HELP = "its id, or the beginning of it; snapshots list shows them"

Body = Callable[[Namespace, "Settings"], "Answer"]
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
    add_language(common)
    common.add_argument("--format", choices=("text", "json"), default="text", help="json: one document on stdout")
    return common


def add_language(parser: argparse.ArgumentParser) -> None:
    """The language of answers; it may stand before the command or after it."""
    parser.add_argument(
        "--lang",
        choices=LANGUAGES,
        default=argparse.SUPPRESS,  # one after the command leaves one before it as it is
        help="what answers are said in: id (Indonesian) or en (KERAWANAN_LANG; default: as the locale)",
    )


def add(to: Commands, name: str, body: Body, about: str) -> argparse.ArgumentParser:
    """A command, whose `body` computes its answer."""
    child: argparse.ArgumentParser = to.add_parser(name, help=about, description=about, parents=[common_arguments()])
    child.set_defaults(body=body)
    return child


def date_of(text: str) -> date:
    """A day like 2026-01-31."""
    try:
        day = date.fromisoformat(text)
        if 1945 <= day.year <= 2200:
            return day
        raise ValueError
    except ValueError:
        raise _wrong(f"'{text}' bukan tanggal seperti 2026-01-31", f"'{text}' is not a date like 2026-01-31") from None


def reason(text: str) -> str:
    """A reason that is not blank."""
    if not text.strip():
        raise _wrong("alasan tidak boleh kosong", "a reason says something")
    return text.strip()


def _wrong(indonesian: str, english: str) -> ArgumentTypeError:
    return ArgumentTypeError(in_words(Sentence(indonesian, english)))


def time_of(text: str) -> datetime:
    """A time like 2026-01-31T18:00, in Jakarta where it does not say."""
    try:
        time = datetime.fromisoformat(text)
        date_of(f"{time:%Y-%m-%d}")
    except (ValueError, ArgumentTypeError):
        raise _wrong(
            f"'{text}' bukan waktu seperti 2026-01-31T18:00", f"'{text}' is not a time like 2026-01-31T18:00"
        ) from None
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
