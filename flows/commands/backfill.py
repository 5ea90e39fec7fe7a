"""kerawanan backfill: many nights; it only says what would be done, unless --execute."""

from argparse import Namespace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flows.commands.common import Commands, add, date_of, reason

if TYPE_CHECKING:
    from flows.results.answer import Answer
    from flows.settings import Settings


def add_to(commands: Commands) -> None:
    """The arguments of the command."""
    many = add(commands, "backfill", _backfill, "many nights: only says what would be done, unless --execute")
    many.add_argument("--edition", required=True, nargs="+", metavar="EDITION", help="one or more")
    many.add_argument(
        "--from", dest="first", type=date_of, metavar="DATE", help="default: as the edition's recomputes say"
    )
    many.add_argument("--to", dest="last", type=date_of, metavar="DATE", help="the last night, today at most")
    many.add_argument("--reason", required=True, type=reason, metavar="TEXT", help="why; it is written down")
    many.add_argument("--execute", action="store_true", help="do it; what is done stays done if it is interrupted")
    many.add_argument("--promote", action="store_true", help="then make the latest of each edition stable, all or none")
    many.add_argument("--workers", type=int, default=1, metavar="N", help="nights at a time (default 1)")
    many.add_argument("--runner", choices=("threads", "dask"), default="threads", help="what computes the nights")
    many.add_argument("--dask-scheduler", metavar="ADDRESS", help="of a Dask scheduler that runs, like tcp://host:8786")


def _backfill(options: Namespace, settings: "Settings") -> "Answer":
    from flows.night.backfill import backfill, must_answer, threads
    from flows.results.backfill import BackfillAnswer
    from schemas.errors import UsageError

    if not 1 <= options.workers <= 64:
        raise UsageError(
            f"--workers {options.workers} is not a number from 1 to 64.",
            f"--workers {options.workers} bukan bilangan dari 1 sampai 64.",
        )
    if options.promote and not options.execute:
        raise UsageError(
            "--promote goes with --execute: nothing is computed otherwise.",
            "--promote dipakai bersama --execute: tanpa itu tidak ada yang dihitung.",
        )
    if (options.runner == "dask") != bool(options.dask_scheduler):
        raise UsageError(
            "--runner dask and --dask-scheduler go together.", "--runner dask dan --dask-scheduler dipakai bersama."
        )
    runner = threads(options.workers)
    if options.runner == "dask":
        must_answer(options.dask_scheduler)
        from flows.server.tasks import dask, nights_on

        runner = nights_on(dask(options.dask_scheduler))
    found = backfill(
        settings,
        options.edition,
        (options.first, options.last),
        options.reason,
        datetime.now(UTC),
        runner if options.execute else None,
        promote=options.promote,
    )
    return BackfillAnswer(found)
