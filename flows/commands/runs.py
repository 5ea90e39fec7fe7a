"""kerawanan runs: list runs, or show one."""

from argparse import Namespace
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flows.commands.common import (
    OK,
    Answer,
    Commands,
    add,
    must_know,
)

if TYPE_CHECKING:
    from flows.results.page import Page
    from flows.settings import Settings


def add_to(commands: Commands) -> None:
    """The arguments of the command."""
    records = commands.add_parser("runs", help="list runs, or show one").add_subparsers(
        metavar="COMMAND", required=True
    )
    told = add(records, "list", _list, _list_text, "every run, oldest first: outcome, figures, seconds")
    told.add_argument("--edition")
    single = add(records, "show", _show, _show_text, "what happened in a run")
    single.add_argument("run_id", metavar="RUN", help="its id, or the beginning of it; runs list shows them")


def _list(options: Namespace, settings: "Settings") -> Answer:
    from flows.results.answers import run_list
    from warehouse.store.store import Store

    result = run_list(Store(settings.store).must_be_there(), datetime.now(UTC), options.edition)
    must_know(options.edition, result["runs"], settings)
    return OK, result


def _show(options: Namespace, settings: "Settings") -> Answer:
    from warehouse.snapshots.runs import find_run, run_folder
    from warehouse.store.store import Store

    store = Store(settings.store).must_be_there()
    record = find_run(store, options.run_id, datetime.now(UTC))
    return OK, {**record, "files": [store.where(key) for key in store.keys(run_folder(record["run_id"]))]}


def _list_text(page: "Page", result: Mapping[str, Any]) -> None:
    columns = ("run_id", "edition", "night", "outcome", "extracts", "rows", "rows_quarantined", "seconds")
    rows = [
        [each.get(name, f"{each['nights']} nights" if name == "night" else None) for name in columns]
        for each in result["runs"]
    ]
    page.print(f"{len(rows)} run(s) in {result['store']}", soft_wrap=True)
    page.print(page.table(columns, rows))


def _show_text(page: "Page", result: Mapping[str, Any]) -> None:
    shown = ("run_id", "edition", "as_of", "started_at", "outcome", "reason", "snapshot_id", "same_inputs_as_run")
    for name in shown:
        if result.get(name) is not None:
            page.print(f"{name:<18} {result[name]}", soft_wrap=True)
    if result.get("nights"):
        columns = ("edition", "as_of", "outcome", "snapshot_id", "reason")
        page.print(page.table(columns, [[each[name] for name in columns] for each in result["nights"]], "Nights"))
    if result.get("seconds"):
        page.print(page.table(("step", "seconds"), list(result["seconds"].items()), "Steps"))
    page.sentences("Refused", [f"{each['file_name']}: {each['reason']}" for each in result.get("refused", ())])
    page.sentences("Files", result["files"])
