"""kerawanan methodology: list, show or check editions."""

from argparse import Namespace
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flows.commands.common import (
    OK,
    Answer,
    Commands,
    add,
)
from schemas.errors import FAILED

if TYPE_CHECKING:
    from flows.results.page import Page
    from flows.settings import Settings


def add_to(commands: Commands) -> None:
    """The arguments of the command."""
    methods = commands.add_parser("methodology", help="list, show or check editions").add_subparsers(
        metavar="COMMAND", required=True
    )
    add(methods, "list", _list, _list_text, "all editions")
    tree = add(methods, "show", _show, _show_text, "the tree and the rules of an edition")
    tree.add_argument("edition", metavar="EDITION")
    checked = add(methods, "check", _check, _check_text, "check every rule of an edition, or of all")
    checked.add_argument("edition", metavar="EDITION", nargs="?")


def _list(_: Namespace, settings: "Settings") -> Answer:
    from schemas.errors import MethodologyError
    from schemas.methodology.library import Library

    library = Library(settings.methodology)
    editions = []
    for name in library.editions:
        try:
            methodology = library.edition(name)
            edition = methodology.edition
            facts = {"title": edition.title_en, "status": edition.status, "digest": methodology.digest}
            editions.append({"edition": name, **facts, "nodes": len(edition.nodes), "problems": 0})
        except MethodologyError as error:
            editions.append({"edition": name, "problems": len(error.problems)})
    return OK, {"editions": editions}


def _show(options: Namespace, settings: "Settings") -> Answer:
    from schemas.methodology.library import Library

    library = Library(settings.methodology)
    library.must_have(options.edition)
    methodology = library.edition(options.edition)
    edition = methodology.edition
    return OK, {
        "digest": methodology.digest,
        **edition.model_dump(mode="json", by_alias=True),
        "nodes": [node.model_dump(mode="json") for node in edition.nodes],
        "corrections": [each.model_dump(mode="json") for each in methodology.corrections],
    }


def _check(options: Namespace, settings: "Settings") -> Answer:
    from schemas.errors import MethodologyError
    from schemas.methodology.library import Library

    library = Library(settings.methodology)
    if options.edition:
        library.must_have(options.edition)
    names = (options.edition,) if options.edition else library.editions_to_check
    problems = []
    for name in names:
        try:
            library.edition(name)
        except MethodologyError as error:
            problems += [problem._asdict() for problem in error.problems if problem._asdict() not in problems]
    return (FAILED if problems else OK), {
        "editions": list(names),
        "left_out": [] if options.edition else [name for name in library.editions if name not in names],
        "problems": problems,
    }


def _list_text(page: "Page", result: Mapping[str, Any]) -> None:
    rows = [
        (
            each["edition"],
            each.get("status", "broken"),
            each.get("nodes"),
            each.get("title", f"{each['problems']} problem(s); kerawanan methodology check {each['edition']}"),
        )
        for each in result["editions"]
    ]
    page.print(page.table(("edition", "status", "nodes", "title"), rows))


def _show_text(page: "Page", result: Mapping[str, Any]) -> None:
    page.print(f"{result['title_en']} ({result['edition']}, {result['status']})", style="bold")
    page.print(f"period {result['period']}; {result['reference_period']}", soft_wrap=True)
    page.print(f"digest {result['digest']}")
    columns = ("node_code", "parent_code", "level", "weight", "normalisation", "aggregation", "evidence", "name_en")
    page.print(page.table(columns, [[node[column] for column in columns] for node in result["nodes"]], "Nodes"))
    rules = [
        (each["level"], each["approach"] or "any", each["node"] or "any", each["basis"], each["evidence"], each["note"])
        for each in result["cut_offs"]
    ]
    page.print(
        page.table(("level", "approach", "node", "basis", "evidence", "note"), rules, "Cut-offs, first that applies")
    )
    page.sentences("Corrections", [f"{each['id']}: {each['reason']}" for each in result["corrections"]])
    page.print(f"weights: {result['weights']}; missing: {result['missing']}")
    page.print(f"Comparability: {result['comparability']}", soft_wrap=True)


def _check_text(page: "Page", result: Mapping[str, Any]) -> None:
    for each in result["problems"]:
        row = f", row {each['row']}" if each["row"] else ""
        page.print(f"{each['file']}{row}: {each['sentence']}", soft_wrap=True)
    verdict = f"{len(result['problems'])} problem(s)" if result["problems"] else "every rule holds"
    page.print(f"{', '.join(result['editions'])}: {verdict}")
    if result["left_out"]:
        page.print(f"Not checked, as your folder has regions of its own: {', '.join(result['left_out'])}")
