"""kerawanan extracts: list, show, withdraw or erase extracts."""

from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flows.commands.common import Commands, add, ready_readers, reason, today

if TYPE_CHECKING:
    from flows.results.answer import Answer
    from flows.settings import Settings


def add_to(commands: Commands) -> None:
    """The arguments of the command."""
    extracts = commands.add_parser("extracts", help="list, show, withdraw or erase extracts").add_subparsers(
        metavar="COMMAND", required=True
    )
    every = add(extracts, "list", _list, "every extract, and every file that was refused")
    every.add_argument("--source")
    one = add(extracts, "show", _show, "what became of an extract")
    one.add_argument("extract", metavar="EXTRACT", help="the beginning of its SHA-256, or its file name")
    one.add_argument("--marked", type=Path, metavar="DIR", help="write a workbook with the wrong cells marked here")
    taken = add(extracts, "withdraw", _withdraw, "let nights from today on no longer count an extract")
    taken.add_argument("extract", metavar="EXTRACT", help="the beginning of its SHA-256, or its file name")
    taken.add_argument("--reason", required=True, type=reason, metavar="TEXT", help="why; it is written down")

    gone = add(extracts, "erase", _erase, "remove the bytes of a withdrawn extract for good (personal data)")
    gone.add_argument("extract", metavar="EXTRACT", help="the beginning of its SHA-256, or its file name")
    gone.add_argument("--reason", required=True, type=reason, metavar="TEXT", help="why; it is written down")


def _list(options: Namespace, settings: "Settings") -> "Answer":
    from flows.night.intake import known_source
    from flows.results.extracts import extract_list
    from schemas.methodology.library import Library
    from warehouse.store.store import Store

    store = Store(settings.store).must_be_there()
    found = extract_list(store, options.source)
    if options.source and not found.extracts:
        # A source of which the store has nothing is at least one of the methodology's.
        known_source(options.source, Library(settings.methodology).sources)
    return found


def _show(options: Namespace, settings: "Settings") -> "Answer":
    readers = ready_readers(settings)
    from flows.results.extracts import extract_history
    from schemas.methodology.library import Library
    from warehouse.store.store import Store

    library = Library(settings.methodology)
    store = Store(settings.store).must_be_there()
    return extract_history(store, options.extract, library, today(), readers, options.marked)


def _withdraw(options: Namespace, settings: "Settings") -> "Answer":
    from flows.results.extracts import ExtractWithdrawn
    from warehouse.extracts.raw_store import extract_called, withdraw_extract
    from warehouse.store.store import Store

    store = Store(settings.store).must_be_there()
    receipt = extract_called(store, options.extract)
    note = withdraw_extract(store, receipt, options.reason, datetime.now(UTC))
    return ExtractWithdrawn(receipt.file_name, note)


def _erase(options: Namespace, settings: "Settings") -> "Answer":
    from flows.results.extracts import ExtractErased
    from warehouse.extracts.raw_store import erase_extract, extract_called
    from warehouse.store.store import Store

    store = Store(settings.store).must_be_there()
    receipt = extract_called(store, options.extract)
    note = erase_extract(store, receipt, options.reason, datetime.now(UTC))
    return ExtractErased(receipt.file_name, note)
