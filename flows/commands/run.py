"""kerawanan run: one night, from raw extracts to a published snapshot."""

from argparse import Namespace
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.clock import TIME_ZONE, jakarta
from flows.commands.common import (
    HELD,
    OK,
    Answer,
    Commands,
    add,
    date_of,
)
from flows.results.sentences import difference_sentences, reporting_sentences
from flows.results.terminal import program

if TYPE_CHECKING:
    from flows.results.page import Page
    from flows.settings import Settings


def add_to(commands: Commands) -> None:
    """The arguments of the command."""
    run = add(commands, "run", _run, _run_text, "one night: admit, validate, prepare, score, judge, publish")
    run.add_argument("--edition", required=True, help="methodology list shows them")
    run.add_argument("--as-of", type=date_of, metavar="DATE", help=f"default: today in {TIME_ZONE}")
    run.add_argument("--inbox", type=Path, metavar="DIR", help="folder of files to admit first, by their names")
    run.add_argument("--memory-limit", metavar="SIZE", help="memory for the engine, such as 1GB")
    run.add_argument("--threads", type=int, metavar="N", help="threads for the engine")


def _run(options: Namespace, settings: "Settings") -> Answer:
    from flows.night.request import requested
    from flows.night.steps import run_night
    from flows.results.answers import night_result

    now = datetime.now(UTC)
    as_of = options.as_of or now.astimezone(jakarta()).date()
    with requested(settings, options.edition, as_of, now, options.inbox) as request:
        night = run_night(request)
    return (HELD if night.outcome == "held" else OK), night_result(settings.store, request.run_id, night)


def _run_text(page: "Page", result: Mapping[str, Any]) -> None:
    kind = " SIMULATED DATA," if result["is_synthetic"] else ""
    withdrawn = ", on figures that were WITHDRAWN" if result["withdrawn"] else ""
    page.print(f"{result['edition']} as of {result['as_of']}:{kind} {result['outcome']}{withdrawn}", style="bold")
    quarantined = result["rows"] - result["rows_admitted"]
    page.print(
        f"{result['extracts']} extracts ({result['new_extract_count']} new, {result['later_extract_count']} received "
        f"later, {result['parsed_extract_count']} parsed now), {result['rows']} figures: "
        f"{result['rows_admitted']} admitted, {quarantined} quarantined"
    )
    index(page, result)
    page.sentences("Held because", result["critical"])
    page.sentences("Look at", result["warned"])
    page.sentences("Refused", [f"{each['file_name']}: {each['reason']}" for each in result["refused"]])
    page.sentences("Corrected", result["corrected"])
    page.sentences("Contradicted", result["contradicted"])
    page.sentences("Quarantined", result["quarantined"] or ["none"])
    page.sentences("Reported", reporting_sentences(result))
    if changes := result["changes"]:
        page.print(f"Compared with {changes['before']['snapshot_id']}")
        moves(page, changes["regions"], changes["regions_changed"])
        page.sentences("Differs", difference_sentences(changes))
    what = {"published": "published as", "held": "held as candidate", "unchanged": "nothing new; it stands on"}
    page.print(f"Snapshot     {what[result['outcome']]} {result['snapshot_id']}")
    if result["withdrawn"]:
        page.print(f"             WITHDRAWN {result['withdrawn']}", style="bold", soft_wrap=True)
    if result["withdrawn"]:
        return locations(page, result)
    if result["stable_snapshot_id"] not in (None, result["snapshot_id"]):
        page.print(f"             a candidate; stable still stands on {result['stable_snapshot_id']}")
        promote = f"{program()} snapshots promote {result['snapshot_id']} --reason '...' --store {result['store']}"
        if result["is_promotable"]:
            page.print(f"Promote      {promote}", soft_wrap=True)
    elif result["stable_snapshot_id"] is None:
        page.print(
            "             simulated data never becomes stable"
            if result["is_synthetic"]
            else "             nothing is stable"
        )
    return locations(page, result)


def locations(page: "Page", result: Mapping[str, Any]) -> None:
    """Where everything lies that a night wrote."""
    for label, name in (
        ("Tables", "snapshot"),
        ("Stable", "stable"),
        ("Not reported", "not_reported"),
        ("This run", "run"),
        ("Gate", "gate"),
    ):
        if result[name]:
            page.print(f"{label:<12} {result[name]}", soft_wrap=True)
    page.print(
        f"Next         {program()} snapshots show {result['snapshot_id']} --store {result['store']}", soft_wrap=True
    )


def index(page: "Page", result: Mapping[str, Any]) -> None:
    """The regions with the highest scores, and how many have which category."""
    columns = ("rank", "region_code", "region_name", "score", "computed_score", "category", "origin")
    rows = [[row[column] for column in columns] for row in result["top"]]
    page.print(page.table(columns, rows, f"Top of {result['top_of']}"))
    counted: dict[str, list[str]] = {}
    for each in result["categories"]:
        place = f"{each['region_level']} / {each['approach']}"
        counted.setdefault(place, []).append(f"{each['regions']} {each['category'] or 'without category'}")
    lines = [f"{place}: {', '.join(parts)}" for place, parts in counted.items()]
    page.sentences("Categories", lines or ["no region has an index score"])


def moves(page: "Page", regions: Sequence[Mapping[str, Any]], count: int) -> None:
    """The regions that moved between two snapshots."""
    from warehouse.snapshots.diff import MOVES

    columns = ("region_level", "approach", "region_code", "region_name", "change")
    rows = [
        [
            *(each[column] for column in columns),
            *(f"{_shown(each[f'{name}_before'])} > {_shown(each[f'{name}_after'])}" for name in MOVES),
        ]
        for each in regions
    ]
    if rows:
        page.print(page.table((*columns, *MOVES), rows, f"{count} region(s) have another score, rank or category"))
    else:
        page.print("No region has another score, rank or category")


def _shown(value: object) -> str:
    return "-" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)
