"""kerawanan backfill: many nights; it only says what would be done, unless --execute."""

from argparse import Namespace
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from flows.commands.common import (
    HELD,
    OK,
    SHOWN_ROWS,
    Answer,
    Commands,
    add,
    date_of,
    reason,
)
from flows.results.sentences import PLANNED
from schemas.errors import FAILED

if TYPE_CHECKING:
    from flows.results.page import Page
    from flows.settings import Settings


def add_to(commands: Commands) -> None:
    """The arguments of the command."""
    many = add(
        commands, "backfill", _backfill, _backfill_text, "many nights: only says what would be done, unless --execute"
    )
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


def _backfill(options: Namespace, settings: "Settings") -> Answer:
    from flows.night.backfill import backfill, must_answer, threads
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
        raise UsageError("--runner dask and --dask-scheduler go together.")
    runner = threads(options.workers)
    if options.runner == "dask":
        must_answer(options.dask_scheduler)
        from flows.server.tasks import dask, nights_on

        runner = nights_on(dask(options.dask_scheduler))
    result = backfill(
        settings,
        options.edition,
        (options.first, options.last),
        options.reason,
        datetime.now(UTC),
        runner if options.execute else None,
        promote=options.promote,
    )
    outcomes = {each["outcome"] for each in result["nights"]}
    return FAILED if "failed" in outcomes or result["not_promoted"] else HELD if "held" in outcomes else OK, result


def _backfill_text(page: "Page", result: Mapping[str, Any]) -> None:
    for edition, plan in groupby(result["plan"], lambda each: each["edition"]):
        nights = list(plan)
        page.print(f"{edition}: {len(nights)} night(s), {nights[0]['as_of']} to {nights[-1]['as_of']}", style="bold")
        for state, sentence in PLANNED.items():
            days = [each["as_of"] for each in nights if each["state"] == state]
            if days:
                page.print(f"  {len(days):>4} {sentence}: {_spans(days)}", soft_wrap=True)
    if not result["run_id"]:
        page.print("Nothing was done: add --execute to do it.")
        return
    ended = Counter(each["outcome"] for each in result["nights"])
    page.print(f"Done         {', '.join(f'{count} {outcome}' for outcome, count in sorted(ended.items()))}")
    for outcome in ("failed", "held"):
        bad = sorted((each for each in result["nights"] if each["outcome"] == outcome), key=_why)
        alike = [(why, [each["as_of"] for each in nights]) for why, nights in groupby(bad, _why)]
        sentences = [f"{edition}, {_spans(days)}: {reason}" for (edition, reason), days in alike]
        page.sentences(outcome.capitalize(), sentences)
    for each in result["promoted"]:
        page.print(f"Stable       {each['edition']} stands on {each['snapshot_id']}", soft_wrap=True)
    if result["not_promoted"]:
        page.print(f"Not promoted {result['not_promoted']}", soft_wrap=True)
    page.print(f"This run     {result['run_id']}")


def _why(night: Mapping[str, Any]) -> tuple[str, str]:
    return night["edition"], night["reason"]


def _spans(days: Sequence[date]) -> str:
    """Days as spans, the first few of them."""
    spans: list[list[date]] = []
    for day in days:
        if spans and (day - spans[-1][1]).days == 1:
            spans[-1][1] = day
        else:
            spans.append([day, day])
    shown = [str(first) if first == last else f"{first} to {last}" for first, last in spans[:SHOWN_ROWS]]
    return ", ".join(shown) + (f" and {len(spans) - SHOWN_ROWS} more" if len(spans) > SHOWN_ROWS else "")
