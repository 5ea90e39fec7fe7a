"""kerawanan sources: list sources, check or propose one."""

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from flows.commands.common import Commands, add, ready_readers, today

if TYPE_CHECKING:
    from flows.results.answer import Answer
    from flows.settings import Settings


def add_to(commands: Commands) -> None:
    """The arguments of the command."""
    sources = commands.add_parser("sources", help="list sources, check or propose one").add_subparsers(
        metavar="COMMAND", required=True
    )
    add(sources, "list", _list, "all sources")
    read = add(sources, "check", _check, "what a source reads in a file, and what it does not know")
    read.add_argument("file", metavar="FILE", type=Path)
    read.add_argument("--source", required=True)
    new = add(sources, "propose", _propose, "an entry of sources.yml to start from, for a file")
    new.add_argument("file", metavar="FILE", type=Path)


def _list(_: Namespace, settings: "Settings") -> "Answer":
    from flows.results.sources import source_list
    from schemas.methodology.library import Library

    return source_list(Library(settings.methodology).sources)


def _check(options: Namespace, settings: "Settings") -> "Answer":
    readers = ready_readers(settings)
    from flows.results.sources import checked_source
    from schemas.methodology.library import Library

    return checked_source(options.file, options.source, Library(settings.methodology), today(), readers)


def _propose(options: Namespace, settings: "Settings") -> "Answer":
    readers = ready_readers(settings)
    from flows.results.sources import proposal
    from schemas.contract.refusals import Refusal
    from schemas.errors import UsageError
    from schemas.methodology.library import Library

    try:
        Library(settings.methodology)
        return proposal(options.file, settings.methodology, readers)
    except Refusal as refusal:
        name = options.file.name
        raise UsageError(f"{name}: {refusal}", f"{name}: {refusal.reason('id')}") from refusal
