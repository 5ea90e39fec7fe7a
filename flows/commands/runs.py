"""kerawanan runs: list runs, or show one."""

from argparse import Namespace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flows.commands.common import Commands, add, must_know

if TYPE_CHECKING:
    from flows.results.answer import Answer
    from flows.settings import Settings


def add_to(commands: Commands) -> None:
    """The arguments of the command."""
    records = commands.add_parser("runs", help="list runs, or show one").add_subparsers(
        metavar="COMMAND", required=True
    )
    listed = add(records, "list", _list, "every run, oldest first: outcome, figures, seconds")
    listed.add_argument("--edition")
    single = add(records, "show", _show, "what happened in a run")
    single.add_argument("run_id", metavar="RUN", help="its id, or the beginning of it; runs list shows them")


def _list(options: Namespace, settings: "Settings") -> "Answer":
    from flows.results.runs import run_list
    from warehouse.store.store import Store

    result = run_list(Store(settings.store).must_be_there(), datetime.now(UTC), options.edition)
    must_know(options.edition, result.runs, settings)
    return result


def _show(options: Namespace, settings: "Settings") -> "Answer":
    from flows.results.runs import RunAnswer
    from warehouse.snapshots.runs import find_run, run_folder
    from warehouse.store.store import Store

    store = Store(settings.store).must_be_there()
    record = find_run(store, options.run_id, datetime.now(UTC))
    return RunAnswer(record, tuple(store.where(key) for key in store.keys(run_folder(record.run_id))))
