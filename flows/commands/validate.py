"""kerawanan validate: check an extract, change nothing."""

from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.commands.common import (
    OK,
    SHOWN_ROWS,
    Answer,
    Commands,
    add,
    ready_readers,
    today,
)
from schemas.errors import WRONG_USAGE

if TYPE_CHECKING:
    from flows.results.page import Page
    from flows.settings import Settings


def add_to(commands: Commands) -> None:
    """The arguments of the command."""
    validate = add(commands, "validate", _validate, _validate_text, "check an extract, change nothing")
    validate.add_argument("paths", metavar="PATH", nargs="+", type=Path)
    validate.add_argument("--source", required=True)
    validate.add_argument("--marked", type=Path, metavar="DIR", help="write workbooks with the wrong cells marked here")


def _validate(options: Namespace, settings: "Settings") -> Answer:
    readers = ready_readers(settings)
    from flows.night.intake import known_source
    from flows.results.extracts import examined
    from schemas.methodology.library import Library

    library = Library(settings.methodology)
    known_source(options.source, library.sources)
    extracts = [examined(path, options.source, library, today(), readers, options.marked) for path in options.paths]
    is_refused = any(each.get("refused") or each["is_over_limit"] for each in extracts)
    return (WRONG_USAGE if is_refused else OK), {"extracts": extracts}


def _validate_text(page: "Page", result: Mapping[str, Any]) -> None:
    for each in result["extracts"]:
        if "refused" in each:
            page.print(f"{each['file_name']}: refused: {each['refused']}", soft_wrap=True)
            if each.get("marked"):
                page.print(f"Marked     {each['marked']}", soft_wrap=True)
            continue
        read(page, each)
        problems(page, each)


def read(page: "Page", extract: Mapping[str, Any]) -> None:
    """How many figures of an extract are admitted."""
    page.print(
        f"{extract['file_name']} as {extract['source']}: {extract['rows']} figures, {extract['rows_admitted']} "
        f"admitted, {extract['rows_quarantined']} quarantined",
        style="bold",
    )
    if extract["is_over_limit"]:
        page.print(f"refused whole: more than {extract['limit']} of it is wrong, so that nothing of it would be used")


def problems(page: "Page", extract: Mapping[str, Any]) -> None:
    """The worst problems of an extract, those that keep out most figures first; one that many have is said once."""
    worst = extract["problems"]
    for number, problem in enumerate(worst[:SHOWN_ROWS], start=1):
        figures = problem["figures"]
        where = f" in column {problem['column']}" if problem["column"] else ""
        page.print(
            f"{number:>3}. {problem['rule']}{where}: {figures} figure(s). {problem['action_en']}", soft_wrap=True
        )
        others = problem["sentences"] - len(problem["examples"])
        for sentence in [*problem["examples"], *([f"and {others} others like it"] if others > 0 else [])]:
            page.print(f"     {sentence}", soft_wrap=True)
        more = figures - len(problem["places"])
        page.print(
            f"     {', '.join([*problem['places'], *([f'and {more} more'] if more > 0 else [])])}", soft_wrap=True
        )
    if len(worst) > SHOWN_ROWS:
        page.print(f"     ... and {len(worst) - SHOWN_ROWS} more problems (--format json shows all)")
    if extract.get("marked"):
        page.print(f"Marked     {extract['marked']}", soft_wrap=True)
    elif worst:
        page.print("To send it back with the wrong cells marked: --marked FOLDER")
