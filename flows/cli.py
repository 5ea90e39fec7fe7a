"""The command line. Every command prints what it did for people, or with --format json one JSON document on stdout."""

import argparse
import io
import json
import re
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.clock import TIME_ZONE, jakarta

if TYPE_CHECKING:
    from flows.settings import Settings

OK, FAILED, WRONG_USAGE, HELD = 0, 1, 2, 3

Command = Callable[[argparse.Namespace, "Settings"], "tuple[int, dict[str, Any]]"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code. A user's mistake is one message on stderr, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(arguments)
    from pydantic import ValidationError

    from flows.settings import Settings
    from schemas.strict import MethodologyError
    from schemas.violations import DamagedStore, NothingToScore, Refusal, UsageError

    given = {name: getattr(options, name, None) for name in Settings.model_fields}
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        for each in error.errors():
            name = str(each["loc"][0])
            _complain(f"{name} '{each['input']}' is not {Settings.model_fields[name].description}", WRONG_USAGE)
        return WRONG_USAGE
    try:
        command: Command = options.command
        code, result = command(options, settings)
    except (UsageError, NothingToScore, Refusal) as error:
        return _complain(str(error), WRONG_USAGE)
    except MethodologyError as error:
        for problem in error.problems:
            _complain(str(problem), FAILED)
        return FAILED
    except DamagedStore as error:
        return _complain(f"{error} 'kerawanan snapshots verify' looks at the whole store.", FAILED)
    except OSError as error:
        return _complain(f"{error.filename or settings.store}: {error.strerror or error}", FAILED)
    except Exception as error:  # the last resort: no input may end in a traceback
        return _complain(f"something unforeseen went wrong: {error or type(error).__name__}", FAILED)
    if options.format == "json":
        sys.stdout.write(json.dumps(result, indent=1, ensure_ascii=False, default=str) + "\n")
    else:
        from flows import report

        report.show(options.path, result)
    return code


def _complain(message: str, code: int) -> int:
    sys.stderr.write(f"kerawanan: {message}\n")
    return code


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--store", metavar="URL", help="folder of the store (KERAWANAN_STORE; default ./store)")
    common.add_argument(
        "--methodology", metavar="DIR", type=Path, help="folder with editions, sources ... of your own, laid over ours"
    )
    common.add_argument("--format", choices=("text", "json"), default="text", help="json: one document on stdout")
    parser = argparse.ArgumentParser(
        prog="kerawanan",
        description="The election vulnerability index of Indonesia (Indeks Kerawanan Pemilu), reproducible.",
        epilog="Exit codes: 0 done, 1 failed or damage found, 2 wrong usage or nothing usable, 3 held by the gate.",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(to: Any, name: str, command: Command, text: str) -> argparse.ArgumentParser:
        child: argparse.ArgumentParser = to.add_parser(name, help=text, description=text, parents=[common])
        child.set_defaults(command=command, path=child.prog.removeprefix("kerawanan ").replace(" ", "_"))
        return child

    ingest = add(commands, "ingest", _ingest, "admit extracts to the store")
    ingest.add_argument("paths", metavar="PATH", nargs="+", type=Path)
    ingest.add_argument("--source", required=True)
    ingest.add_argument("--received-at", type=_time, metavar="TIME", help="when it was received (default: now)")

    validate = add(commands, "validate", _validate, "check an extract, change nothing")
    validate.add_argument("paths", metavar="PATH", nargs="+", type=Path)
    validate.add_argument("--source", required=True)

    run = add(commands, "run", _run, "one night: admit, validate, prepare, score, judge, publish")
    run.add_argument("--edition", required=True)
    run.add_argument("--as-of", type=_date, metavar="DATE", help=f"default: today in {TIME_ZONE}")
    run.add_argument("--inbox", type=Path, metavar="DIR", help="folder of files to admit first, by their names")
    run.add_argument("--memory-limit", metavar="SIZE", help="memory for the engine, such as 1GB")
    run.add_argument("--threads", type=int, metavar="N", help="threads for the engine")

    shots = commands.add_parser("snapshots", help="list, show, promote or verify snapshots").add_subparsers(
        metavar="COMMAND", required=True
    )
    listed = add(shots, "list", _snapshots_list, "all snapshots, oldest first")
    listed.add_argument("--edition")
    shown = add(shots, "show", _snapshots_show, "what a snapshot holds and what it stands on")
    shown.add_argument("snapshot_id", metavar="SNAPSHOT")
    promoted = add(shots, "promote", _snapshots_promote, "make a candidate stable")
    promoted.add_argument("snapshot_id", metavar="SNAPSHOT")
    promoted.add_argument("--reason", required=True, metavar="TEXT")
    verified = add(shots, "verify", _snapshots_verify, "hash everything again: snapshots, logs, pointers, stable")
    verified.add_argument("snapshot_id", metavar="SNAPSHOT", nargs="?", help="default: all of the store")

    methods = commands.add_parser("methodology", help="list, show or check editions").add_subparsers(
        metavar="COMMAND", required=True
    )
    add(methods, "list", _methodology_list, "all editions")
    tree = add(methods, "show", _methodology_show, "the tree and the rules of an edition")
    tree.add_argument("edition", metavar="EDITION")
    checked = add(methods, "check", _methodology_check, "check every rule of an edition, or of all")
    checked.add_argument("edition", metavar="EDITION", nargs="?")
    return parser


def _date(text: str) -> date:
    try:
        day = date.fromisoformat(text)
        if 1945 <= day.year <= 2200:
            return day
        raise ValueError
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a date like 2026-01-31") from None


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
        _date(f"{time:%Y-%m-%d}")
    except (ValueError, argparse.ArgumentTypeError):
        raise argparse.ArgumentTypeError(f"'{text}' is not a time like 2026-01-31T18:00") from None
    return (time if time.tzinfo else time.replace(tzinfo=jakarta())).astimezone(UTC)


def _ingest(options: argparse.Namespace, settings: "Settings") -> tuple[int, dict[str, Any]]:
    from flows.intake import known_source, take_in
    from schemas.methodology import Library
    from warehouse.store import Store

    sources = Library(settings.methodology).sources
    known_source(options.source, sources)
    now = datetime.now(UTC)
    store = Store(settings.store)
    intake = take_in(store, options.paths, sources, options.received_at or now, now, options.source)
    return (WRONG_USAGE if intake.refused else OK), {
        "admitted": [each.__dict__ for each in intake.new],
        "known": [each.__dict__ for each in intake.known],
        "refused": [each.__dict__ for each in intake.refused],
        "store": str(store.root),
    }


def _validate(options: argparse.Namespace, settings: "Settings") -> tuple[int, dict[str, Any]]:
    from flows.intake import examined, known_source
    from schemas.methodology import Library

    library = Library(settings.methodology)
    known_source(options.source, library.sources)
    today = datetime.now(jakarta()).date()
    extracts = [examined(path, options.source, library, today) for path in options.paths]
    return (WRONG_USAGE if any(each.get("refused") for each in extracts) else OK), {"extracts": extracts}


def _run(options: argparse.Namespace, settings: "Settings") -> tuple[int, dict[str, Any]]:
    from flows.night import requested
    from flows.pipeline import run_night
    from flows.report import night_result

    now = datetime.now(UTC)
    as_of = options.as_of or now.astimezone(jakarta()).date()
    with requested(settings, options.edition, as_of, now, options.inbox) as request:
        night = run_night(request)
    return (HELD if night.outcome == "held" else OK), night_result(settings.store, request.run_id, night)


def _snapshots_list(options: argparse.Namespace, settings: "Settings") -> tuple[int, dict[str, Any]]:
    from schemas.violations import UsageError
    from warehouse.snapshots import snapshots
    from warehouse.store import Store

    store = Store(settings.store)
    if options.edition and not re.fullmatch(r"[a-z0-9][a-z0-9-]*", options.edition):
        raise UsageError(f"'{options.edition}' is not the name of an edition.")
    return OK, {"snapshots": snapshots(store, options.edition), "store": str(store.root)}


def _snapshots_show(options: argparse.Namespace, settings: "Settings") -> tuple[int, dict[str, Any]]:
    from flows.report import snapshot_result

    return OK, snapshot_result(settings.store, options.snapshot_id)


def _snapshots_promote(options: argparse.Namespace, settings: "Settings") -> tuple[int, dict[str, Any]]:
    from warehouse.snapshots import promote
    from warehouse.store import Store

    return OK, promote(Store(settings.store), options.snapshot_id, datetime.now(UTC), options.reason)


def _snapshots_verify(options: argparse.Namespace, settings: "Settings") -> tuple[int, dict[str, Any]]:
    from warehouse.store import Store
    from warehouse.verify import verify

    verdict = verify(Store(settings.store), options.snapshot_id)
    return (FAILED if verdict["damage"] else OK), verdict


def _methodology_list(_: argparse.Namespace, settings: "Settings") -> tuple[int, dict[str, Any]]:
    from schemas.methodology import Library
    from schemas.strict import MethodologyError

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


def _methodology_show(options: argparse.Namespace, settings: "Settings") -> tuple[int, dict[str, Any]]:
    from schemas.methodology import Library

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


def _methodology_check(options: argparse.Namespace, settings: "Settings") -> tuple[int, dict[str, Any]]:
    from schemas.methodology import Library
    from schemas.strict import MethodologyError

    library = Library(settings.methodology)
    if options.edition:
        library.must_have(options.edition)
    names = [options.edition] if options.edition else library.editions
    problems = []
    for name in names:
        try:
            library.edition(name)
        except MethodologyError as error:
            problems += [problem._asdict() for problem in error.problems if problem._asdict() not in problems]
    return (FAILED if problems else OK), {"editions": list(names), "problems": problems}


if __name__ == "__main__":
    sys.exit(main())
