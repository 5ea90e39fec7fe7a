"""kerawanan validate: check an extract, change nothing."""

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from flows.commands.common import Commands, add, ready_readers, today

if TYPE_CHECKING:
    from flows.results.answer import Answer
    from flows.settings import Settings


def add_to(commands: Commands) -> None:
    """The arguments of the command."""
    validate = add(commands, "validate", _validate, "check an extract, change nothing")
    validate.add_argument("paths", metavar="PATH", nargs="+", type=Path)
    validate.add_argument("--source", required=True)
    validate.add_argument("--marked", type=Path, metavar="DIR", help="write workbooks with the wrong cells marked here")


def _validate(options: Namespace, settings: "Settings") -> "Answer":
    readers = ready_readers(settings)
    from flows.night.intake import known_source
    from flows.results.examined import Validated, examined
    from schemas.methodology.library import Library

    library = Library(settings.methodology)
    known_source(options.source, library.sources)
    return Validated(
        tuple(examined(path, options.source, library, today(), readers, options.marked) for path in options.paths)
    )
