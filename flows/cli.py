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
from flows.results.terminal import Parser, escaped, printable
from schemas.errors import FAILED, WRONG_USAGE

if TYPE_CHECKING:
    from flows.readers.pool import Readers
    from flows.settings import Settings

OK, HELD = 0, 3
SNAPSHOT_HELP = "its id, or the beginning of it; snapshots list shows them"

Command = Callable[[argparse.Namespace, "Settings"], "tuple[int, dict[str, Any]]"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code. A user's mistake is one message on stderr, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    options = parser().parse_args(arguments)
    from pydantic import ValidationError

    from flows.log import logged
    from flows.settings import Settings

    given = {name: getattr(options, name, None) for name in Settings.model_fields}
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        for each in error.errors():
            name = str(each["loc"][0])
            _complain(f"{name} '{each['input']}' is not {Settings.model_fields[name].description}", WRONG_USAGE)
        return WRONG_USAGE
    with logged(settings.log):
        return _answer(options, settings)


def _answer(options: argparse.Namespace, settings: "Settings") -> int:
    from schemas.errors import KerawananError

    try:
        command: Command = options.command
        code, result = command(options, settings)
    except KerawananError as error:
        for sentence in error.sentences:
            _complain(sentence, error.exit_code)
        return error.exit_code
    except OSError as error:
        return _complain(f"{error.filename or settings.store}: {error.strerror or error}", FAILED)
    except Exception as error:  # the last resort: no input may end in a traceback
        return _complain(f"something unforeseen went wrong: {error or type(error).__name__}", FAILED)
    if options.format == "json":
        sys.stdout.write(escaped(json.dumps(result, indent=1, ensure_ascii=False, default=str)) + "\n")
    else:
        from flows.results import report

        report.show(options.path, result)
    return code


def _complain(message: str, code: int) -> int:
    sys.stderr.write(printable(f"kerawanan: {message}\n"))
    return code


def parser() -> argparse.ArgumentParser:
    """What can be said on the command line."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--store", metavar="URL", help="folder, or s3://bucket/prefix (KERAWANAN_STORE; default ./store)"
    )
    common.add_argument(
        "--methodology", metavar="DIR", type=Path, help="folder with editions, sources ... of your own, laid over ours"
    )
    common.add_argument(
        "--log", choices=("none", "json"), help="json: a line on stderr for each step of a night (KERAWANAN_LOG)"
    )
    common.add_argument("--format", choices=("text", "json"), default="text", help="json: one document on stdout")
    parser = Parser(
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
    validate.add_argument("--marked", type=Path, metavar="DIR", help="write workbooks with the wrong cells marked here")

    extracts = commands.add_parser("extracts", help="list, show, withdraw or erase extracts").add_subparsers(
        metavar="COMMAND", required=True
    )
    every = add(extracts, "list", _extracts_list, "every extract, and every file that was refused")
    every.add_argument("--source")
    one = add(extracts, "show", _extracts_show, "what became of an extract")
    one.add_argument("extract", metavar="EXTRACT", help="the beginning of its SHA-256, or its file name")
    one.add_argument("--marked", type=Path, metavar="DIR", help="write a workbook with the wrong cells marked here")
    taken = add(extracts, "withdraw", _extracts_withdraw, "let nights from today on no longer count an extract")
    taken.add_argument("extract", metavar="EXTRACT", help="the beginning of its SHA-256, or its file name")
    taken.add_argument("--reason", required=True, type=_reason, metavar="TEXT", help="why; it is written down")

    gone = add(extracts, "erase", _extracts_erase, "remove the bytes of a withdrawn extract for good (personal data)")
    gone.add_argument("extract", metavar="EXTRACT", help="the beginning of its SHA-256, or its file name")
    gone.add_argument("--reason", required=True, type=_reason, metavar="TEXT", help="why; it is written down")

    sources = commands.add_parser("sources", help="list sources, check or propose one").add_subparsers(
        metavar="COMMAND", required=True
    )
    add(sources, "list", _sources_list, "all sources")
    read = add(sources, "check", _sources_check, "what a source reads in a file, and what it does not know")
    read.add_argument("file", metavar="FILE", type=Path)
    read.add_argument("--source", required=True)
    new = add(sources, "propose", _sources_propose, "an entry of sources.yml to start from, for a file")
    new.add_argument("file", metavar="FILE", type=Path)

    run = add(commands, "run", _run, "one night: admit, validate, prepare, score, judge, publish")
    run.add_argument("--edition", required=True, help="methodology list shows them")
    run.add_argument("--as-of", type=_date, metavar="DATE", help=f"default: today in {TIME_ZONE}")
    run.add_argument("--inbox", type=Path, metavar="DIR", help="folder of files to admit first, by their names")
    run.add_argument("--memory-limit", metavar="SIZE", help="memory for the engine, such as 1GB")
    run.add_argument("--threads", type=int, metavar="N", help="threads for the engine")

    many = add(commands, "backfill", _backfill, "many nights: only says what would be done, unless --execute")
    many.add_argument("--edition", required=True, nargs="+", metavar="EDITION", help="one or more")
    many.add_argument(
        "--from", dest="first", type=_date, metavar="DATE", help="default: as the edition's recomputes say"
    )
    many.add_argument("--to", dest="last", type=_date, metavar="DATE", help="the last night, today at most")
    many.add_argument("--reason", required=True, type=_reason, metavar="TEXT", help="why; it is written down")
    many.add_argument("--execute", action="store_true", help="do it; what is done stays done if it is interrupted")
    many.add_argument("--promote", action="store_true", help="then make the latest of each edition stable, all or none")
    many.add_argument("--workers", type=int, default=1, metavar="N", help="nights at a time (default 1)")
    many.add_argument("--runner", choices=("threads", "dask"), default="threads", help="what computes the nights")
    many.add_argument("--dask-scheduler", metavar="ADDRESS", help="of a Dask scheduler that runs, like tcp://host:8786")

    records = commands.add_parser("runs", help="list runs, or show one").add_subparsers(
        metavar="COMMAND", required=True
    )
    told = add(records, "list", _runs_list, "every run, oldest first: outcome, figures, seconds")
    told.add_argument("--edition")
    single = add(records, "show", _runs_show, "what happened in a run")
    single.add_argument("run_id", metavar="RUN", help="its id, or the beginning of it; runs list shows them")

    shots = commands.add_parser(
        "snapshots", help="list, show, compare, verify, promote, withdraw, prune"
    ).add_subparsers(metavar="COMMAND", required=True)
    listed = add(shots, "list", _snapshots_list, "all snapshots, oldest first")
    listed.add_argument("--edition")
    shown = add(shots, "show", _snapshots_show, "what a snapshot holds and what it stands on")
    shown.add_argument("snapshot_id", metavar="SNAPSHOT", help=SNAPSHOT_HELP)
    compared = add(shots, "diff", _snapshots_diff, "what differs between two snapshots of an edition")
    compared.add_argument("before", metavar="SNAPSHOT", help=SNAPSHOT_HELP)
    compared.add_argument("after", metavar="SNAPSHOT", help="the other one")
    compared.add_argument("--markdown", action="store_true", help="print it as Markdown")
    promoted = add(shots, "promote", _snapshots_promote, "make a candidate stable, or an earlier one again")
    promoted.add_argument("snapshot_id", metavar="SNAPSHOT", help=SNAPSHOT_HELP)
    promoted.add_argument("--reason", required=True, type=_reason, metavar="TEXT", help="why; it is written down")
    taken_back = add(
        shots, "withdraw", _snapshots_withdraw, "say that a snapshot is wrong; stable goes back to the one before"
    )
    taken_back.add_argument("snapshot_id", metavar="SNAPSHOT", help=SNAPSHOT_HELP)
    taken_back.add_argument("--reason", required=True, type=_reason, metavar="TEXT", help="why; it is written down")
    pruned = add(shots, "prune", _snapshots_prune, "remove old candidates and runs that nothing refers to")
    pruned.add_argument(
        "--keep-days", type=int, metavar="N", help="only what is older (KERAWANAN_KEEP_DAYS; default 90)"
    )
    pruned.add_argument(
        "--execute", action="store_true", help="do it; without this it is only said what would be removed"
    )
    verified = add(shots, "verify", _snapshots_verify, "hash everything again: snapshots, logs, pointers, stable, raw")
    verified.add_argument("snapshot_id", metavar="SNAPSHOT", nargs="?", help="default: all of the store")
    verified.add_argument("--deep", action="store_true", help="compute each again from its raw extracts, and compare")
    verified.add_argument(
        "--public-key", type=Path, metavar="FILE", help="every entry of a log must be signed with its key"
    )

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


def _reason(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("a reason says something")
    return text.strip()


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
        _date(f"{time:%Y-%m-%d}")
    except (ValueError, argparse.ArgumentTypeError):
        raise argparse.ArgumentTypeError(f"'{text}' is not a time like 2026-01-31T18:00") from None
    return (time if time.tzinfo else time.replace(tzinfo=jakarta())).astimezone(UTC)


def _ingest(options: argparse.Namespace, settings: "Settings") -> tuple[int, dict[str, Any]]:
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


def _validate(options: argparse.Namespace, settings: "Settings") -> tuple[int, dict[str, Any]]:
    readers = _readers(settings)
    from flows.night.intake import known_source
    from flows.results.extracts import examined
    from schemas.methodology.library import Library

    library = Library(settings.methodology)
    known_source(options.source, library.sources)
    extracts = [examined(path, options.source, library, _today(), readers, options.marked) for path in options.paths]
    is_refused = any(each.get("refused") or each["is_over_limit"] for each in extracts)
    return (WRONG_USAGE if is_refused else OK), {"extracts": extracts}


def _readers(settings: "Settings") -> "Readers":
    """What reads files, one of them already getting ready."""
    from flows.readers.pool import readers_within

    readers = readers_within(settings.reading)
    readers.start()
    return readers


def _today() -> date:
    return datetime.now(jakarta()).date()


def _extracts_list(options: argparse.Namespace, settings: "Settings") -> tuple[int, dict[str, Any]]:
    from flows.results.extracts import extract_list
    from warehouse.store.store import Store

    store = Store(settings.store).must_be_there()
    return OK, {"extracts": extract_list(store, options.source), "store": store.url}


def _extracts_show(options: argparse.Namespace, settings: "Settings") -> tuple[int, dict[str, Any]]:
    readers = _readers(settings)
    from flows.results.extracts import extract_story
    from schemas.methodology.library import Library
    from warehouse.store.store import Store

    library = Library(settings.methodology)
    store = Store(settings.store).must_be_there()
    return OK, extract_story(store, options.extract, library, _today(), readers, options.marked)


def _extracts_withdraw(options: argparse.Namespace, settings: "Settings") -> tuple[int, dict[str, Any]]:
    from warehouse.extracts.raw_store import extract_called, withdraw_extract
    from warehouse.store.store import Store

    store = Store(settings.store).must_be_there()
    receipt = extract_called(store, options.extract)
    note = withdraw_extract(store, receipt, options.reason, datetime.now(UTC))
    return OK, {"file_name": receipt.file_name, **note}


def _extracts_erase(options: argparse.Namespace, settings: "Settings") -> tuple[int, dict[str, Any]]:
    from warehouse.extracts.raw_store import erase_extract, extract_called
    from warehouse.store.store import Store

    store = Store(settings.store).must_be_there()
    receipt = extract_called(store, options.extract)
    note = erase_extract(store, receipt, options.reason, datetime.now(UTC))
    return OK, {"file_name": receipt.file_name, **note}


def _sources_list(_: argparse.Namespace, settings: "Settings") -> tuple[int, dict[str, Any]]:
    from schemas.methodology.library import Library

    sources = Library(settings.methodology).sources
    shown = ("title", "pattern", "format", "layout", "precedence", "synthetic")
    return OK, {"sources": [{"source": name, **each.model_dump(include=set(shown))} for name, each in sources.items()]}


def _sources_check(options: argparse.Namespace, settings: "Settings") -> tuple[int, dict[str, Any]]:
    readers = _readers(settings)
    from flows.results.extracts import checked_source
    from schemas.methodology.library import Library

    answer = checked_source(options.file, options.source, Library(settings.methodology), _today(), readers)
    return (WRONG_USAGE if answer.get("refused") else OK), answer


def _sources_propose(options: argparse.Namespace, settings: "Settings") -> tuple[int, dict[str, Any]]:
    readers = _readers(settings)
    from flows.results.extracts import proposal
    from schemas.errors import Refusal, UsageError
    from schemas.methodology.library import Library

    try:
        Library(settings.methodology)
        return OK, proposal(options.file, settings.methodology, readers)
    except Refusal as refusal:
        raise UsageError(f"{options.file.name}: {refusal}") from refusal


def _run(options: argparse.Namespace, settings: "Settings") -> tuple[int, dict[str, Any]]:
    from flows.night.request import requested
    from flows.night.steps import run_night
    from flows.results.report import night_result

    now = datetime.now(UTC)
    as_of = options.as_of or now.astimezone(jakarta()).date()
    with requested(settings, options.edition, as_of, now, options.inbox) as request:
        night = run_night(request)
    return (HELD if night.outcome == "held" else OK), night_result(settings.store, request.run_id, night)


def _backfill(options: argparse.Namespace, settings: "Settings") -> tuple[int, dict[str, Any]]:
    from flows.night.backfill import backfill, must_answer, threads
    from schemas.errors import UsageError

    if not 1 <= options.workers <= 64:
        raise UsageError(f"--workers {options.workers} is not a number from 1 to 64.")
    if options.promote and not options.execute:
        raise UsageError("--promote goes with --execute: nothing is computed otherwise.")
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


def _runs_list(options: argparse.Namespace, settings: "Settings") -> tuple[int, dict[str, Any]]:
    from flows.results.report import run_list
    from warehouse.store.store import Store

    result = run_list(Store(settings.store).must_be_there(), datetime.now(UTC), options.edition)
    _must_know(options.edition, result["runs"], settings)
    return OK, result


def _runs_show(options: argparse.Namespace, settings: "Settings") -> tuple[int, dict[str, Any]]:
    from warehouse.snapshots.runs import find_run, run_folder
    from warehouse.store.store import Store

    store = Store(settings.store).must_be_there()
    record = find_run(store, options.run_id, datetime.now(UTC))
    return OK, {**record, "files": [store.where(key) for key in store.keys(run_folder(record["run_id"]))]}


def _snapshots_list(options: argparse.Namespace, settings: "Settings") -> tuple[int, dict[str, Any]]:
    from schemas.errors import UsageError
    from warehouse.snapshots.snapshots import snapshots
    from warehouse.store.store import Store

    store = Store(settings.store).must_be_there()
    if options.edition and not re.fullmatch(r"[a-z0-9][a-z0-9-]*", options.edition):
        raise UsageError(f"'{options.edition}' is not the name of an edition.")
    found = snapshots(store, options.edition)
    _must_know(options.edition, found, settings)
    return OK, {"snapshots": found, "store": store.url}


def _must_know(edition: str | None, found: Sequence[Any], settings: "Settings") -> None:
    """An edition of which the store has nothing is at least one of the methodology's."""
    from schemas.methodology.library import Library

    if edition and not found:
        Library(settings.methodology).must_have(edition)


def _snapshots_show(options: argparse.Namespace, settings: "Settings") -> tuple[int, dict[str, Any]]:
    from flows.results.report import snapshot_result
    from warehouse.store.store import Store

    Store(settings.store).must_be_there()
    return OK, snapshot_result(settings.store, options.snapshot_id)


def _snapshots_diff(options: argparse.Namespace, settings: "Settings") -> tuple[int, dict[str, Any]]:
    from warehouse.snapshots.diff import difference
    from warehouse.store.store import Store

    if options.markdown:
        options.path = "snapshots_diff_markdown"
    return OK, difference(Store(settings.store).must_be_there(), options.before, options.after)


def _snapshots_promote(options: argparse.Namespace, settings: "Settings") -> tuple[int, dict[str, Any]]:
    from warehouse.snapshots.snapshots import promote
    from warehouse.store.store import Store

    store, now = Store(settings.store).must_be_there(), datetime.now(UTC)
    return OK, promote(store, options.snapshot_id, now, options.reason, settings.signer())


def _snapshots_withdraw(options: argparse.Namespace, settings: "Settings") -> tuple[int, dict[str, Any]]:
    from schemas.methodology.library import Library
    from warehouse.snapshots.history import write_history
    from warehouse.snapshots.snapshots import withdraw
    from warehouse.store.store import Store

    store, now = Store(settings.store).must_be_there(), datetime.now(UTC)
    result = withdraw(store, options.snapshot_id, now, options.reason, settings.signer())
    write_history(store, result["edition"], Library(settings.methodology).dictionary, now)
    return OK, result


def _snapshots_prune(options: argparse.Namespace, settings: "Settings") -> tuple[int, dict[str, Any]]:
    from warehouse.snapshots.snapshots import prune
    from warehouse.store.store import Store

    store, now = Store(settings.store).must_be_there(), datetime.now(UTC)
    return OK, prune(store, now, settings.keep_days, settings.signer(), execute=options.execute)


def _snapshots_verify(options: argparse.Namespace, settings: "Settings") -> tuple[int, dict[str, Any]]:
    from flows.night.rebuild import rebuilt
    from warehouse.engine.database import EngineLimits
    from warehouse.snapshots.snapshots import snapshots
    from warehouse.snapshots.verify import verify
    from warehouse.store.signing import public_key
    from warehouse.store.store import Store

    store = Store(settings.store).must_be_there()
    verdict = verify(store, options.snapshot_id, public_key(options.public_key) if options.public_key else None)
    limits = EngineLimits(settings.memory_limit, settings.threads)
    # What is damaged need not be computed again to be known as such.
    deep = snapshots(store) if options.deep and not verdict["damage"] else []
    verdict["rebuilt"] = [
        rebuilt(store, each["edition"], each["snapshot_id"], limits)
        for each in deep
        if each["snapshot_id"] in verdict["verified"]
    ]
    is_whole = not verdict["damage"] and all(each["is_same"] for each in verdict["rebuilt"])
    return (OK if is_whole else FAILED), verdict


def _methodology_list(_: argparse.Namespace, settings: "Settings") -> tuple[int, dict[str, Any]]:
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


def _methodology_show(options: argparse.Namespace, settings: "Settings") -> tuple[int, dict[str, Any]]:
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


def _methodology_check(options: argparse.Namespace, settings: "Settings") -> tuple[int, dict[str, Any]]:
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


if __name__ == "__main__":
    sys.exit(main())
