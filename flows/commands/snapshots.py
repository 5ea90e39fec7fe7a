"""kerawanan snapshots: list, show, compare, verify, promote, withdraw and prune."""

import re
from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flows.commands.common import SNAPSHOT_HELP, Commands, add, must_know, reason

if TYPE_CHECKING:
    from flows.results.answer import Answer
    from flows.settings import Settings


def add_to(commands: Commands) -> None:
    """The arguments of the command."""
    shots = commands.add_parser(
        "snapshots", help="list, show, compare, verify, promote, withdraw, prune"
    ).add_subparsers(metavar="COMMAND", required=True)
    listed = add(shots, "list", _list, "all snapshots, oldest first")
    listed.add_argument("--edition")
    shown = add(shots, "show", _show, "what a snapshot holds and what it stands on")
    shown.add_argument("snapshot_id", metavar="SNAPSHOT", help=SNAPSHOT_HELP)
    compared = add(shots, "diff", _diff, "what differs between two snapshots of an edition")
    compared.add_argument("before", metavar="SNAPSHOT", help=SNAPSHOT_HELP)
    compared.add_argument("after", metavar="SNAPSHOT", help="the other one")
    compared.add_argument("--markdown", action="store_true", help="print it as Markdown")
    promoted = add(shots, "promote", _promote, "make a candidate stable, or an earlier one again")
    promoted.add_argument("snapshot_id", metavar="SNAPSHOT", help=SNAPSHOT_HELP)
    promoted.add_argument("--reason", required=True, type=reason, metavar="TEXT", help="why; it is written down")
    taken_back = add(shots, "withdraw", _withdraw, "say that a snapshot is wrong; stable goes back to the one before")
    taken_back.add_argument("snapshot_id", metavar="SNAPSHOT", help=SNAPSHOT_HELP)
    taken_back.add_argument("--reason", required=True, type=reason, metavar="TEXT", help="why; it is written down")
    pruned = add(shots, "prune", _prune, "remove old candidates and runs that nothing refers to")
    pruned.add_argument(
        "--keep-days", type=int, metavar="N", help="only what is older (KERAWANAN_KEEP_DAYS; default 90)"
    )
    pruned.add_argument(
        "--execute", action="store_true", help="do it; without this it is only said what would be removed"
    )
    verified = add(shots, "verify", _verify, "hash everything again: snapshots, logs, pointers, stable, raw")
    verified.add_argument("snapshot_id", metavar="SNAPSHOT", nargs="?", help="default: all of the store")
    verified.add_argument("--deep", action="store_true", help="compute each again from its raw extracts, and compare")
    verified.add_argument(
        "--public-key", type=Path, metavar="FILE", help="every entry of a log must be signed with its key"
    )


def _list(options: Namespace, settings: "Settings") -> "Answer":
    from flows.results.snapshots import SnapshotList
    from schemas.errors import UsageError
    from warehouse.snapshots.snapshots import snapshots
    from warehouse.store.store import Store

    store = Store(settings.store).must_be_there()
    if options.edition and not re.fullmatch(r"[a-z0-9][a-z0-9-]*", options.edition):
        raise UsageError(
            f"'{options.edition}' is not the name of an edition.", f"'{options.edition}' bukan nama edisi."
        )
    found = snapshots(store, options.edition)
    must_know(options.edition, found, settings)
    return SnapshotList(tuple(found), store.url)


def _show(options: Namespace, settings: "Settings") -> "Answer":
    from flows.results.snapshots import snapshot_answer
    from warehouse.store.store import Store

    Store(settings.store).must_be_there()
    return snapshot_answer(settings.store, options.snapshot_id)


def _diff(options: Namespace, settings: "Settings") -> "Answer":
    from flows.results.difference import DifferenceAnswer, DifferenceInMarkdown
    from warehouse.snapshots.diff import difference
    from warehouse.store.store import Store

    found = difference(Store(settings.store).must_be_there(), options.before, options.after)
    return DifferenceInMarkdown(found) if options.markdown else DifferenceAnswer(found)


def _promote(options: Namespace, settings: "Settings") -> "Answer":
    from flows.results.snapshots import Promoted
    from warehouse.snapshots.promotion import promote
    from warehouse.store.store import Store

    store, now = Store(settings.store).must_be_there(), datetime.now(UTC)
    return Promoted(**promote(store, options.snapshot_id, now, options.reason, settings.signer()))


def _withdraw(options: Namespace, settings: "Settings") -> "Answer":
    from flows.results.snapshots import Withdrawn
    from schemas.methodology.library import Library
    from warehouse.snapshots.history import write_history
    from warehouse.snapshots.promotion import withdraw
    from warehouse.store.store import Store

    store, now = Store(settings.store).must_be_there(), datetime.now(UTC)
    result = withdraw(store, options.snapshot_id, now, options.reason, settings.signer())
    write_history(store, result["edition"], Library(settings.methodology).dictionary, now)
    return Withdrawn(**result)


def _prune(options: Namespace, settings: "Settings") -> "Answer":
    from flows.results.snapshots import pruned
    from warehouse.snapshots.prune import prune
    from warehouse.store.store import Store

    store, now = Store(settings.store).must_be_there(), datetime.now(UTC)
    return pruned(prune(store, now, settings.keep_days, settings.signer(), execute=options.execute))


def _verify(options: Namespace, settings: "Settings") -> "Answer":
    from flows.night.rebuild import rebuilt
    from flows.results.snapshots import verified
    from warehouse.engine.database import EngineLimits
    from warehouse.snapshots.snapshots import snapshots
    from warehouse.snapshots.verify import verify
    from warehouse.store.signing import public_key
    from warehouse.store.store import Store

    store = Store(settings.store).must_be_there()
    verdict = verify(store, options.snapshot_id, public_key(options.public_key) if options.public_key else None)
    limits = EngineLimits(settings.memory_limit, settings.threads)
    # What is damaged need not be computed again to be known as such.
    deep = snapshots(store) if options.deep and not verdict["damage"] else []
    again = tuple(
        rebuilt(store, each["edition"], each["snapshot_id"], limits)
        for each in deep
        if each["snapshot_id"] in verdict["verified"]
    )
    return verified(verdict, again)
