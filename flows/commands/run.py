"""kerawanan run: one night, from raw extracts to a published snapshot."""

from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flows.clock import TIME_ZONE, jakarta
from flows.commands.common import Commands, add, date_of

if TYPE_CHECKING:
    from flows.results.answer import Answer
    from flows.settings import Settings


def add_to(commands: Commands) -> None:
    """The arguments of the command."""
    run = add(commands, "run", _run, "one night: admit, validate, prepare, score, judge, publish")
    run.add_argument("--edition", required=True, help="methodology list shows them")
    run.add_argument("--as-of", type=date_of, metavar="DATE", help=f"default: today in {TIME_ZONE}")
    run.add_argument("--inbox", type=Path, metavar="DIR", help="folder of files to admit first, by their names")
    run.add_argument("--memory-limit", metavar="SIZE", help="memory for the engine, such as 1GB")
    run.add_argument("--threads", type=int, metavar="N", help="threads for the engine")


def _run(options: Namespace, settings: "Settings") -> "Answer":
    from flows.night.request import requested
    from flows.night.steps import run_night
    from flows.results.night import night_answer

    now = datetime.now(UTC)
    as_of = options.as_of or now.astimezone(jakarta()).date()
    with requested(settings, options.edition, as_of, now, options.inbox) as request:
        night = run_night(request)
    return night_answer(settings.store, request.run_id, night)
