"""kerawanan snapshots: list, show, compare, verify, promote, withdraw and prune."""

import re
from argparse import Namespace
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.commands.common import (
    OK,
    SHOWN_ROWS,
    SNAPSHOT_HELP,
    Answer,
    Commands,
    add,
    must_know,
    reason,
)
from flows.commands.run import index, moves
from flows.results.sentences import difference_sentences
from flows.results.terminal import program
from schemas.errors import FAILED

if TYPE_CHECKING:
    from flows.results.page import Page
    from flows.settings import Settings


def add_to(commands: Commands) -> None:
    """The arguments of the command."""
    shots = commands.add_parser(
        "snapshots", help="list, show, compare, verify, promote, withdraw, prune"
    ).add_subparsers(metavar="COMMAND", required=True)
    listed = add(shots, "list", _list, _list_text, "all snapshots, oldest first")
    listed.add_argument("--edition")
    shown = add(shots, "show", _show, _show_text, "what a snapshot holds and what it stands on")
    shown.add_argument("snapshot_id", metavar="SNAPSHOT", help=SNAPSHOT_HELP)
    compared = add(shots, "diff", _diff, _diff_text, "what differs between two snapshots of an edition")
    compared.add_argument("before", metavar="SNAPSHOT", help=SNAPSHOT_HELP)
    compared.add_argument("after", metavar="SNAPSHOT", help="the other one")
    compared.add_argument("--markdown", action="store_true", help="print it as Markdown")
    promoted = add(shots, "promote", _promote, _promote_text, "make a candidate stable, or an earlier one again")
    promoted.add_argument("snapshot_id", metavar="SNAPSHOT", help=SNAPSHOT_HELP)
    promoted.add_argument("--reason", required=True, type=reason, metavar="TEXT", help="why; it is written down")
    taken_back = add(
        shots, "withdraw", _withdraw, _withdraw_text, "say that a snapshot is wrong; stable goes back to the one before"
    )
    taken_back.add_argument("snapshot_id", metavar="SNAPSHOT", help=SNAPSHOT_HELP)
    taken_back.add_argument("--reason", required=True, type=reason, metavar="TEXT", help="why; it is written down")
    pruned = add(shots, "prune", _prune, _prune_text, "remove old candidates and runs that nothing refers to")
    pruned.add_argument(
        "--keep-days", type=int, metavar="N", help="only what is older (KERAWANAN_KEEP_DAYS; default 90)"
    )
    pruned.add_argument(
        "--execute", action="store_true", help="do it; without this it is only said what would be removed"
    )
    verified = add(
        shots, "verify", _verify, _verify_text, "hash everything again: snapshots, logs, pointers, stable, raw"
    )
    verified.add_argument("snapshot_id", metavar="SNAPSHOT", nargs="?", help="default: all of the store")
    verified.add_argument("--deep", action="store_true", help="compute each again from its raw extracts, and compare")
    verified.add_argument(
        "--public-key", type=Path, metavar="FILE", help="every entry of a log must be signed with its key"
    )


def _list(options: Namespace, settings: "Settings") -> Answer:
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
    return OK, {"snapshots": found, "store": store.url}


def _show(options: Namespace, settings: "Settings") -> Answer:
    from flows.results.answers import snapshot_result
    from warehouse.store.store import Store

    Store(settings.store).must_be_there()
    return OK, snapshot_result(settings.store, options.snapshot_id)


def _diff(options: Namespace, settings: "Settings") -> Answer:
    from warehouse.snapshots.diff import difference
    from warehouse.store.store import Store

    if options.markdown:
        options.text = _diff_markdown_text
    return OK, difference(Store(settings.store).must_be_there(), options.before, options.after)


def _promote(options: Namespace, settings: "Settings") -> Answer:
    from warehouse.snapshots.promotion import promote
    from warehouse.store.store import Store

    store, now = Store(settings.store).must_be_there(), datetime.now(UTC)
    return OK, promote(store, options.snapshot_id, now, options.reason, settings.signer())


def _withdraw(options: Namespace, settings: "Settings") -> Answer:
    from schemas.methodology.library import Library
    from warehouse.snapshots.history import write_history
    from warehouse.snapshots.promotion import withdraw
    from warehouse.store.store import Store

    store, now = Store(settings.store).must_be_there(), datetime.now(UTC)
    result = withdraw(store, options.snapshot_id, now, options.reason, settings.signer())
    write_history(store, result["edition"], Library(settings.methodology).dictionary, now)
    return OK, result


def _prune(options: Namespace, settings: "Settings") -> Answer:
    from warehouse.snapshots.prune import prune
    from warehouse.store.store import Store

    store, now = Store(settings.store).must_be_there(), datetime.now(UTC)
    return OK, prune(store, now, settings.keep_days, settings.signer(), execute=options.execute)


def _verify(options: Namespace, settings: "Settings") -> Answer:
    from flows.night.rebuild import rebuilt
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
    verdict["rebuilt"] = [
        rebuilt(store, each["edition"], each["snapshot_id"], limits)
        for each in deep
        if each["snapshot_id"] in verdict["verified"]
    ]
    is_whole = not verdict["damage"] and all(each["is_same"] for each in verdict["rebuilt"])
    return (OK if is_whole else FAILED), verdict


def _list_text(page: "Page", result: Mapping[str, Any]) -> None:
    rows = [
        (
            each["snapshot_id"],
            each["edition"],
            each["as_of"],
            ", ".join(each["channels"]) + " held" * each["is_held"] + " WITHDRAWN" * bool(each["withdrawn"]),
            "synthetic" if each["is_synthetic"] else "real",
            each["content_hash"][:12],
        )
        for each in result["snapshots"]
    ]
    page.print(f"{len(rows)} snapshot(s) in {result['store']}", soft_wrap=True)
    page.print(page.table(("snapshot", "edition", "as_of", "stands for", "data", "content"), rows))


def _show_text(page: "Page", result: Mapping[str, Any]) -> None:
    page.print(f"{result['title']} ({result['edition']})", style="bold")
    before = result["predecessor"]
    facts = {
        "snapshot": result["snapshot_id"],
        "as of": result["as_of"],
        "content": result["content_hash"],
        "methodology": result["methodology_digest"],
        "code": f"{result['code']['version']} {result['code']['sha256']}",
        "predecessor": before["snapshot_id"] if before else "none",
        "data": "SIMULATED" if result["is_synthetic"] else "real",
        "withdrawn": result["withdrawn"] or "no",
        "tables": result["snapshot"],
    }
    for label, fact in facts.items():
        page.print(f"{label:<12} {fact}", soft_wrap=True)
    inputs = [
        (each["file_name"], each["source"], each["rows"], each["rows_admitted"], each["sha256"][:12])
        for each in result["inputs"]
    ]
    page.print(page.table(("extract", "source", "rows", "admitted", "sha256"), inputs, "Stands on"))
    index(page, result)


def _diff_text(page: "Page", result: Mapping[str, Any]) -> None:
    before, after = result["before"], result["after"]
    page.print(f"{result['edition']}: {before['snapshot_id']} > {after['snapshot_id']}", style="bold")
    page.print("the same content" if result["is_same_content"] else "the content differs")
    moves(page, result["regions"][:SHOWN_ROWS], len(result["regions"]))
    page.sentences("Differs", difference_sentences(result))


def _diff_markdown_text(page: "Page", result: Mapping[str, Any]) -> None:
    from flows.results.markdown import difference_markdown

    page.print(difference_markdown(result), soft_wrap=True, end="")


def _promote_text(page: "Page", result: Mapping[str, Any]) -> None:
    page.print(f"stable of {result['edition']} stands on {result['snapshot_id']}: {result['stable']}", soft_wrap=True)


def _withdraw_text(page: "Page", result: Mapping[str, Any]) -> None:
    from warehouse.snapshots.channels import CHANNELS

    page.print(f"{result['snapshot_id']} is withdrawn: it stays readable and is marked", soft_wrap=True)
    for channel in CHANNELS:
        page.print(f"{channel} of {result['edition']} stands on {result[channel] or 'nothing'}", soft_wrap=True)
    page.print(
        "Next: withdraw the extract that is wrong, or send a correction; then run the night again", soft_wrap=True
    )


def _prune_text(page: "Page", result: Mapping[str, Any]) -> None:
    what = "removed" if result["is_done"] else "would be removed"
    for each in result["snapshots"]:
        page.print(f"{what}  snapshot {each['snapshot_id']} of {each['edition']} as of {each['as_of']}")
    for run_id in result["runs"]:
        page.print(f"{what}  run {run_id}")
    counted = f"{len(result['snapshots'])} snapshot(s) and {len(result['runs'])} run(s)"
    page.print(f"{counted} older than {result['keep_days']} days that nothing refers to {what}", soft_wrap=True)
    if not result["is_done"] and (result["snapshots"] or result["runs"]):
        page.print(f"Next: {program()} snapshots prune --keep-days {result['keep_days']} --execute", soft_wrap=True)


def _verify_text(page: "Page", result: Mapping[str, Any]) -> None:
    for kind in ("damage", "unfinished"):
        for each in result[kind]:
            page.print(f"{kind}  {each['where']}: {each['sentence']}", soft_wrap=True)
    for each in result["rebuilt"]:
        same = "comes out again" if each["is_same"] else "does NOT come out again"
        page.print(
            f"rebuilt  {each['snapshot_id']} of {each['edition']} {same}: {each['content_hash']}", soft_wrap=True
        )
        page.sentences("Because", each["causes"])
    verdict = f"{len(result['damage'])} damage(s) found" if result["damage"] else "verified: nothing was changed"
    page.print(f"{len(result['verified'])} snapshot(s) in {result['store']}: {verdict}", soft_wrap=True)
