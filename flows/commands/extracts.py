"""kerawanan extracts: list, show, withdraw or erase extracts."""

from argparse import Namespace
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.commands.common import (
    OK,
    Answer,
    Commands,
    add,
    ready_readers,
    reason,
    today,
)
from flows.commands.validate import problems, read

if TYPE_CHECKING:
    from flows.results.page import Page
    from flows.settings import Settings


def add_to(commands: Commands) -> None:
    """The arguments of the command."""
    extracts = commands.add_parser("extracts", help="list, show, withdraw or erase extracts").add_subparsers(
        metavar="COMMAND", required=True
    )
    every = add(extracts, "list", _list, _list_text, "every extract, and every file that was refused")
    every.add_argument("--source")
    one = add(extracts, "show", _show, _show_text, "what became of an extract")
    one.add_argument("extract", metavar="EXTRACT", help="the beginning of its SHA-256, or its file name")
    one.add_argument("--marked", type=Path, metavar="DIR", help="write a workbook with the wrong cells marked here")
    taken = add(extracts, "withdraw", _withdraw, _withdraw_text, "let nights from today on no longer count an extract")
    taken.add_argument("extract", metavar="EXTRACT", help="the beginning of its SHA-256, or its file name")
    taken.add_argument("--reason", required=True, type=reason, metavar="TEXT", help="why; it is written down")

    gone = add(
        extracts, "erase", _erase, _erase_text, "remove the bytes of a withdrawn extract for good (personal data)"
    )
    gone.add_argument("extract", metavar="EXTRACT", help="the beginning of its SHA-256, or its file name")
    gone.add_argument("--reason", required=True, type=reason, metavar="TEXT", help="why; it is written down")


def _list(options: Namespace, settings: "Settings") -> Answer:
    from flows.night.intake import known_source
    from flows.results.extracts import extract_list
    from schemas.methodology.library import Library
    from warehouse.store.store import Store

    store = Store(settings.store).must_be_there()
    found = extract_list(store, options.source)
    if options.source and not found:
        # A source of which the store has nothing is at least one of the methodology's.
        known_source(options.source, Library(settings.methodology).sources)
    return OK, {"extracts": found, "store": store.url}


def _show(options: Namespace, settings: "Settings") -> Answer:
    readers = ready_readers(settings)
    from flows.results.extracts import extract_history
    from schemas.methodology.library import Library
    from warehouse.store.store import Store

    library = Library(settings.methodology)
    store = Store(settings.store).must_be_there()
    return OK, extract_history(store, options.extract, library, today(), readers, options.marked)


def _withdraw(options: Namespace, settings: "Settings") -> Answer:
    from warehouse.extracts.raw_store import extract_called, withdraw_extract
    from warehouse.store.store import Store

    store = Store(settings.store).must_be_there()
    receipt = extract_called(store, options.extract)
    note = withdraw_extract(store, receipt, options.reason, datetime.now(UTC))
    return OK, {"file_name": receipt.file_name, **note}


def _erase(options: Namespace, settings: "Settings") -> Answer:
    from warehouse.extracts.raw_store import erase_extract, extract_called
    from warehouse.store.store import Store

    store = Store(settings.store).must_be_there()
    receipt = extract_called(store, options.extract)
    note = erase_extract(store, receipt, options.reason, datetime.now(UTC))
    return OK, {"file_name": receipt.file_name, **note}


def _list_text(page: "Page", result: Mapping[str, Any]) -> None:
    rows = [
        (
            each["sha256"][:12],
            each["source"] or "unknown",
            each["file_name"],
            str(each["received_at"])[:16].replace("T", " "),
            each["state"],
        )
        for each in result["extracts"]
    ]
    page.print(f"{len(rows)} extract(s) in {result['store']}", soft_wrap=True)
    page.print(page.table(("extract", "source", "file", "received (UTC)", "state"), rows))


def _show_text(page: "Page", result: Mapping[str, Any]) -> None:
    if "refused" in result:
        page.print(f"{result['file_name']}: as its source is declared today it is refused: {result['refused']}")
    else:
        read(page, result)
    facts = {"sha256": result["sha256"], "received": result["received_at"], "size": f"{result['size']} bytes"}
    for label, fact in facts.items():
        page.print(f"{label:<10} {fact}", soft_wrap=True)
    if result["withdrawn"]:
        note = result["withdrawn"]
        page.print(f"withdrawn  {note['withdrawn_at']}: {note['reason']}", soft_wrap=True)
    for use in result["used_in"]:
        figures = ", ".join(f"{count} {state}" for state, count in use["figures"].items())
        page.print(f"figures    {figures} (in {use['edition']}, {use['snapshot_id']})", soft_wrap=True)
    if "problems" in result:
        problems(page, result)


def _withdraw_text(page: "Page", result: Mapping[str, Any]) -> None:
    page.print(
        f"{result['file_name']} ({result['sha256'][:12]}) is withdrawn: nights from today on do not count it; it stays "
        "in the store, and earlier nights are as they were",
        soft_wrap=True,
    )


def _erase_text(page: "Page", result: Mapping[str, Any]) -> None:
    page.print(f"{result['file_name']} ({result['sha256'][:12]}) is erased; a note of it stays", soft_wrap=True)
