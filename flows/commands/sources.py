"""kerawanan sources: list sources, check or propose one."""

from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.commands.common import (
    OK,
    Answer,
    Commands,
    add,
    ready_readers,
    today,
)
from flows.commands.validate import read
from schemas.errors import WRONG_USAGE

if TYPE_CHECKING:
    from flows.results.page import Page
    from flows.settings import Settings


def add_to(commands: Commands) -> None:
    """The arguments of the command."""
    sources = commands.add_parser("sources", help="list sources, check or propose one").add_subparsers(
        metavar="COMMAND", required=True
    )
    add(sources, "list", _list, _list_text, "all sources")
    read = add(sources, "check", _check, _check_text, "what a source reads in a file, and what it does not know")
    read.add_argument("file", metavar="FILE", type=Path)
    read.add_argument("--source", required=True)
    new = add(sources, "propose", _propose, _propose_text, "an entry of sources.yml to start from, for a file")
    new.add_argument("file", metavar="FILE", type=Path)


def _list(_: Namespace, settings: "Settings") -> Answer:
    from schemas.methodology.library import Library

    sources = Library(settings.methodology).sources
    shown = ("title", "pattern", "format", "layout", "precedence", "synthetic")
    return OK, {"sources": [{"source": name, **each.model_dump(include=set(shown))} for name, each in sources.items()]}


def _check(options: Namespace, settings: "Settings") -> Answer:
    readers = ready_readers(settings)
    from flows.results.extracts import checked_source
    from schemas.methodology.library import Library

    answer = checked_source(options.file, options.source, Library(settings.methodology), today(), readers)
    return (WRONG_USAGE if answer.get("refused") else OK), answer


def _propose(options: Namespace, settings: "Settings") -> Answer:
    readers = ready_readers(settings)
    from flows.results.extracts import proposal
    from schemas.contract.refusals import Refusal
    from schemas.errors import UsageError
    from schemas.methodology.library import Library

    try:
        Library(settings.methodology)
        return OK, proposal(options.file, settings.methodology, readers)
    except Refusal as refusal:
        name = options.file.name
        raise UsageError(f"{name}: {refusal}", f"{name}: {refusal.reason('id')}") from refusal


def _list_text(page: "Page", result: Mapping[str, Any]) -> None:
    columns = ("source", "format", "layout", "precedence", "pattern", "title")
    page.print(page.table(columns, [[each[column] for column in columns] for each in result["sources"]]))


def _check_text(page: "Page", result: Mapping[str, Any]) -> None:
    if result.get("refused"):
        page.print(f"{result['file_name']}: refused: {result['refused']}", soft_wrap=True)
    for table in result["tables"]:
        page.print(f"Sheet {table['sheet'] or '(the file)'}: header in row {table['header_row']}", style="bold")
        page.print(page.table(("read as", "column"), list(table["columns"].items())))
        page.sentences("Missing", table["missing"])
        page.sentences("Columns that are not read", table["columns_not_read"])
        left = len(table["totals_left_out"])
        page.print(f"{table['rows_below']} rows below it" + (f", {left} of them totals, left out" if left else ""))
        if table["rows_left_out"]:
            said = [f"{rows} x {have}" for have, rows in table["left_out_have"].items()]
            page.sentences(f"{table['rows_left_out']} rows left out, as the source says in where", said)
    if "rows" in result:
        read(page, result)
        page.sentences("Not admitted", [f"{each['rows']} x {each['message_en']}" for each in result["violations"]])


def _propose_text(page: "Page", result: Mapping[str, Any]) -> None:
    for remark in result["remarks"]:
        page.print(f"# {remark}", soft_wrap=True)
    page.print(result["entry"], soft_wrap=True, end="")
