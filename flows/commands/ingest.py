"""kerawanan ingest: admit extracts to the store."""

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
    time_of,
)
from schemas.errors import WRONG_USAGE

if TYPE_CHECKING:
    from flows.results.page import Page
    from flows.settings import Settings


def add_to(commands: Commands) -> None:
    """The arguments of the command."""
    ingest = add(commands, "ingest", _ingest, _ingest_text, "admit extracts to the store")
    ingest.add_argument("paths", metavar="PATH", nargs="+", type=Path)
    ingest.add_argument("--source", required=True)
    ingest.add_argument("--received-at", type=time_of, metavar="TIME", help="when it was received (default: now)")


def _ingest(options: Namespace, settings: "Settings") -> Answer:
    from flows.night.intake import known_source, take_in
    from schemas.methodology.library import Library
    from warehouse.extracts.raw_store import withdrawals
    from warehouse.store.store import Store

    sources = Library(settings.methodology).sources
    known_source(options.source, sources)
    now = datetime.now(UTC)
    store = Store(settings.store)
    intake = take_in(store, options.paths, sources, options.received_at or now, now, options.source, settings.reading)
    withdrawn = [each for each in intake.known if (each.source, each.sha256) in withdrawals(store)]
    return (WRONG_USAGE if intake.refused or withdrawn else OK), {
        "admitted": [each.__dict__ for each in intake.new],
        "known": [each.__dict__ for each in intake.known if each not in withdrawn],
        "withdrawn": [each.__dict__ for each in withdrawn],
        "refused": [each.__dict__ for each in intake.refused],
        "store": store.url,
    }


def _ingest_text(page: "Page", result: Mapping[str, Any]) -> None:
    for each in result["admitted"]:
        page.print(f"admitted  {each['file_name']} ({each['size']} bytes) as {each['source']}: {each['sha256']}")
    for each in result["known"]:
        page.print(f"known     {each['file_name']}: the same bytes were received {each['received_at']}")
    for each in result["withdrawn"]:
        page.print(f"withdrawn {each['file_name']}: these bytes were withdrawn and do not count; send another file")
    for each in result["refused"]:
        page.print(f"refused   {each['file_name']}: {each['reason']}", soft_wrap=True)
