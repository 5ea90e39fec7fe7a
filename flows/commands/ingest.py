"""kerawanan ingest: admit extracts to the store."""

from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flows.commands.common import Commands, add, time_of

if TYPE_CHECKING:
    from flows.results.answer import Answer
    from flows.settings import Settings


def add_to(commands: Commands) -> None:
    """The arguments of the command."""
    ingest = add(commands, "ingest", _ingest, "admit extracts to the store")
    ingest.add_argument("paths", metavar="PATH", nargs="+", type=Path)
    ingest.add_argument("--source", required=True)
    ingest.add_argument("--received-at", type=time_of, metavar="TIME", help="when it was received (default: now)")


def _ingest(options: Namespace, settings: "Settings") -> "Answer":
    from flows.night.intake import known_source, take_in
    from flows.results.ingest import Ingested
    from schemas.methodology.library import Library
    from warehouse.extracts.raw_store import withdrawals
    from warehouse.store.store import Store

    sources = Library(settings.methodology).sources
    known_source(options.source, sources)
    now = datetime.now(UTC)
    store = Store(settings.store)
    intake = take_in(store, options.paths, sources, options.received_at or now, now, options.source, settings.reading)
    gone = withdrawals(store)
    withdrawn = tuple(each for each in intake.known if (each.source, each.sha256) in gone)
    known = tuple(each for each in intake.known if each not in withdrawn)
    return Ingested(intake.new, known, withdrawn, intake.refused, store.url)
