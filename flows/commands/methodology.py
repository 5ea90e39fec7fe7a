"""kerawanan methodology: list, show or check editions."""

from argparse import Namespace
from typing import TYPE_CHECKING

from flows.commands.common import Commands, add

if TYPE_CHECKING:
    from flows.results.answer import Answer
    from flows.settings import Settings


def add_to(commands: Commands) -> None:
    """The arguments of the command."""
    methods = commands.add_parser("methodology", help="list, show or check editions").add_subparsers(
        metavar="COMMAND", required=True
    )
    add(methods, "list", _list, "all editions")
    tree = add(methods, "show", _show, "the tree and the rules of an edition")
    tree.add_argument("edition", metavar="EDITION")
    checked = add(methods, "check", _check, "check every rule of an edition, or of all")
    checked.add_argument("edition", metavar="EDITION", nargs="?")


def _list(_: Namespace, settings: "Settings") -> "Answer":
    from flows.results.methodology import edition_list
    from schemas.methodology.library import Library

    return edition_list(Library(settings.methodology))


def _show(options: Namespace, settings: "Settings") -> "Answer":
    from flows.results.methodology import EditionAnswer
    from schemas.methodology.library import Library

    library = Library(settings.methodology)
    library.must_have(options.edition)
    methodology = library.edition(options.edition)
    return EditionAnswer(methodology.digest, methodology.edition, methodology.corrections)


def _check(options: Namespace, settings: "Settings") -> "Answer":
    from flows.results.methodology import checked_editions
    from schemas.methodology.library import Library

    library = Library(settings.methodology)
    if options.edition:
        library.must_have(options.edition)
    return checked_editions(library, options.edition)
