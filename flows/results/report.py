"""What commands answer: results as plain data, and the same for people to read in a terminal or a pipe."""

import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console
from rich.table import Table

from flows.night.request import Night
from flows.results.terminal import printable
from schemas.methodology.regions import LEVELS
from warehouse.snapshots.channels import CHANNELS, gone, head, log_entries, named, snapshot_folder, stable_folder
from warehouse.snapshots.diff import MOVES, difference
from warehouse.snapshots.history import history_folder, run_row
from warehouse.snapshots.runs import run_folder, run_records
from warehouse.snapshots.snapshots import find_snapshot, night_key, read_manifest
from warehouse.store.store import Store, read_sealed

SHOWN_ROWS = 10


def night_result(store_url: str, run_id: str, night: Night) -> dict[str, Any]:
    """What a night came to: outcome, where the files are, the top of the table, and what was found on the way."""
    store = Store(store_url)
    record = json.loads(store.read(f"{run_folder(run_id)}/run.json"))
    edition = record["edition"]
    base = snapshot_folder(edition, night.snapshot_id)
    stable = head(store, edition, "stable")
    findings = pl.read_parquet(store.local(f"{run_folder(run_id)}/quality_result.parquet"))

    def sentences(*checks: str) -> list[str]:
        return findings.filter(pl.col("check").is_in(checks))["message_en"].to_list()

    return {
        "outcome": night.outcome,
        "edition": edition,
        "as_of": record["as_of"],
        "store": store_url,
        "run_id": run_id,
        "snapshot_id": night.snapshot_id,
        "stable_snapshot_id": stable["snapshot_id"] if stable else None,
        "withdrawn": _withdrawn(store, edition, night.snapshot_id),
        "content_hash": night.content_hash,
        "extracts": len(record["inputs"]),
        "new_extract_count": record["new_extract_count"],
        "later_extract_count": record["later_extract_count"],
        "parsed_extract_count": record["parsed_extract_count"],
        "rows": sum(each["rows"] for each in record["inputs"]),
        "rows_admitted": sum(each["rows_admitted"] for each in record["inputs"]),
        "refused": record["refused"],
        "findings": record["findings"],
        "corrected": sentences("correction_applied", "correction_unused"),
        "quarantined": sentences("rows_quarantined"),
        "contradicted": sentences("contradiction", "conflicting_extracts"),
        "critical": findings.filter(severity="critical")["message_en"].to_list(),
        "is_promotable": findings.filter(severity="critical", scope="content").is_empty(),
        "warned": [
            *findings.filter(pl.col("check") != "rows_quarantined", severity="warning", scope="release")[
                "message_en"
            ].to_list(),
            *_unsigned(store, edition, record["as_of"]),
        ],
        "is_synthetic": any(each["is_synthetic"] for each in record["inputs"]),
        "snapshot": store.where(base),
        "stable": store.where(stable_folder(edition)) if stable else None,
        "run": store.where(run_folder(run_id)),
        "gate": store.where(f"{run_folder(run_id)}/gate.html"),
        "not_reported": store.where(f"{base}/exports/not_reported.xlsx"),
        "history": store.where(history_folder(edition)),
        **_index_summary(store, base),
        **_reporting_summary(store, base),
        "changes": _changes(store, edition, night),
    }


def _changes(store: Store, edition: str, night: Night) -> dict[str, Any] | None:
    """What a new snapshot changes beside the one before it; None where it is not new, or the first."""
    before = read_manifest(store, edition, night.snapshot_id)["kerawanan"]["predecessor"]
    if night.outcome == "unchanged" or before is None or before["snapshot_id"] in gone(store, edition):
        return None
    found = difference(store, before["snapshot_id"], night.snapshot_id)
    return found | {"regions": found["regions"][:SHOWN_ROWS], "regions_changed": len(found["regions"])}


def _unsigned(store: Store, edition: str, as_of: str) -> list[str]:
    """What to look at where a night is not signed, in a store whose first entry is."""
    first = next(iter(log_entries(store, edition, "candidate")), {})
    night = read_sealed(store, night_key(edition, date.fromisoformat(as_of)))
    if "signature" not in first or "signature" in night:
        return []
    return ["The store is signed, and this night is not: no signing key was set (KERAWANAN_SIGNING_KEY_FILE)."]


def run_list(store: Store, now: datetime, edition: str | None = None) -> dict[str, Any]:
    """Every run, or those of an edition: as rows of the table `run`; a backfill has the nights it was about instead."""
    rows = []
    for record in run_records(store, now):
        if "edition" in record:
            row = run_row(record) | {"nights": 1}
        else:
            names = sorted({each["edition"] for each in record["nights"]})
            shown = ("run_id", "started_at", "outcome", "reason")
            row = {name: record[name] for name in shown} | {"edition": " ".join(names), "nights": len(record["nights"])}
        if edition is None or edition in row["edition"].split():
            rows.append(row)
    return {"runs": rows, "store": store.url}


def _withdrawn(store: Store, edition: str, snapshot_id: str) -> str | None:
    """When and why a snapshot was withdrawn; None where it was not."""
    note = named(store, edition, "withdrawn").get(snapshot_id)
    return f"{note['appended_at']}: {note['reason']}" if note else None


def snapshot_result(store_url: str, snapshot_id: str) -> dict[str, Any]:
    """What a snapshot holds and what it stands on."""
    store = Store(store_url)
    data = find_snapshot(store, snapshot_id)
    facts = data["kerawanan"]
    base = snapshot_folder(facts["edition"], facts["snapshot_id"])
    return {
        "title": data["title"],
        **facts,
        "withdrawn": _withdrawn(store, facts["edition"], facts["snapshot_id"]),
        "snapshot": store.where(base),
        **_index_summary(store, base),
    }


def _index_summary(store: Store, base: str) -> dict[str, Any]:
    """The top of the index, and how many regions each category has, per level and approach."""
    index = pl.read_parquet(store.local(f"{base}/tables/index_score.parquet")).filter(pl.col("score").is_not_null())
    place = ["region_level", "approach"]
    known = sorted(index.select(place).unique().rows(), key=lambda each: (LEVELS.index(each[0]), each[1]))
    ranked = set(index.filter(pl.col("rank").is_not_null()).select(place).unique().rows())
    level, approach = next(
        (each for each in known if each in ranked), known[-1] if known else ("no region", "no approach")
    )
    top = index.filter(region_level=level, approach=approach)
    counted = Counter(index.select(*place, "category").rows())
    return {
        "top_of": f"{level} / {approach}",
        "top": top.sort("score", descending=True)
        .head(SHOWN_ROWS)
        .select("rank", "region_code", "region_name", "score", "computed_score", "category", "origin")
        .to_dicts(),
        "categories": [
            {"region_level": level, "approach": approach, "category": category, "regions": count}
            for (level, approach, category), count in sorted(counted.items(), key=lambda each: str(each[0]))
        ],
    }


CALLED = ("region_code", "region_name", "approach")


def _reporting_summary(store: Store, base: str) -> dict[str, Any]:
    """How much of what offices are asked for was reported, per level and approach, and which sent nothing."""
    if not store.exists(f"{base}/tables/reporting.parquet"):  # a snapshot of before there was the table
        return {"reporting": [], "silent": []}
    offices = pl.read_parquet(store.local(f"{base}/tables/reporting.parquet"))
    counts = [name for name in offices.columns if name.startswith("indicators_")]
    told = offices.group_by("region_level", "approach").agg(
        pl.len().alias("offices"), pl.col("is_silent").sum().alias("offices_silent"), pl.col(counts).sum()
    )
    silent = offices.filter(pl.col("is_silent") & pl.col("region_level").is_in(["province", "regency_city"]))
    return {
        "reporting": sorted(told.to_dicts(), key=lambda each: (LEVELS.index(each["region_level"]), each["approach"])),
        "silent": silent.select(pl.format("{} {} / {}", *CALLED)).to_series().to_list(),
    }


def difference_sentences(diff: Mapping[str, Any]) -> list[str]:
    """What a difference says beside the regions that moved: tables, extracts, methodology and code."""
    said = [
        f"{each['table']}: {each['rows_added']} rows added, {each['rows_removed']} removed, "
        f"{each['rows_changed']} changed"
        for each in diff["tables"]
    ]
    said += [
        f"{each['table']}: columns {what}: {', '.join(each[f'columns_{what}'])}"
        for each in diff["tables"]
        for what in ("added", "removed", "retyped")
        if each[f"columns_{what}"]
    ]
    for what, extracts in diff["inputs"].items():
        said += [f"extract {what}: {each['file_name']} ({each['source']}, {each['sha256'][:12]})" for each in extracts]
    if diff["methodology"]:
        said.append(f"methodology: {', '.join(diff['methodology'])}")
    if diff["before"]["code"] != diff["after"]["code"]:
        said.append("computed by other code")
    return said or ["nothing"]


def reporting_sentences(result: Mapping[str, Any]) -> list[str]:
    """What the summary of reporting says, a sentence per level and approach."""
    return [
        f"{each['region_level']} / {each['approach']}: {each['indicators_reported']} of {each['indicators_expected']} "
        f"indicators reported ({each['indicators_reported_zero']} as zero, {each['indicators_evidenced']} with "
        f"evidence), {each['indicators_imputed']} left blank and counted as zero, {each['indicators_missing']} "
        f"missing; {each['offices_silent']} of {each['offices']} offices sent nothing"
        for each in result["reporting"]
    ]


def show(command: str, result: Mapping[str, Any]) -> None:
    """Print a command's result for people; no colours and no cutting to a window's width in a pipe."""
    console = Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else 160)
    SHOWN_AS[command](console, _printable(result))


def _printable(data: Any) -> Any:
    """The data without what would command a terminal: senders choose names and cells."""
    if isinstance(data, str):
        return printable(data)
    if isinstance(data, Mapping):
        return {key: _printable(value) for key, value in data.items()}
    return [_printable(value) for value in data] if isinstance(data, (list, tuple)) else data


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]], title: str | None = None) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for index, column in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[index], (int, float)) or row[index] is None for row in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(
            *("" if cell is None else f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row)
        )
    return table


def _sentences(console: Console, title: str, sentences: Sequence[str]) -> None:
    if sentences:
        console.print(title)
        for sentence in sentences[:SHOWN_ROWS]:
            console.print(f"  - {sentence}", soft_wrap=True)
        if len(sentences) > SHOWN_ROWS:
            console.print(f"  ... and {len(sentences) - SHOWN_ROWS} more")


def _index(console: Console, result: Mapping[str, Any]) -> None:
    columns = ("rank", "region_code", "region_name", "score", "computed_score", "category", "origin")
    rows = [[row[column] for column in columns] for row in result["top"]]
    console.print(_table(columns, rows, f"Top of {result['top_of']}"))
    counted: dict[str, list[str]] = {}
    for each in result["categories"]:
        place = f"{each['region_level']} / {each['approach']}"
        counted.setdefault(place, []).append(f"{each['regions']} {each['category'] or 'without category'}")
    lines = [f"{place}: {', '.join(parts)}" for place, parts in counted.items()]
    _sentences(console, "Categories", lines or ["no region has an index score"])


def _night(console: Console, result: Mapping[str, Any]) -> None:
    kind = " SIMULATED DATA," if result["is_synthetic"] else ""
    withdrawn = ", on figures that were WITHDRAWN" if result["withdrawn"] else ""
    console.print(f"{result['edition']} as of {result['as_of']}:{kind} {result['outcome']}{withdrawn}", style="bold")
    quarantined = result["rows"] - result["rows_admitted"]
    console.print(
        f"{result['extracts']} extracts ({result['new_extract_count']} new, {result['later_extract_count']} received "
        f"later, {result['parsed_extract_count']} parsed now), {result['rows']} figures: "
        f"{result['rows_admitted']} admitted, {quarantined} quarantined"
    )
    _index(console, result)
    _sentences(console, "Held because", result["critical"])
    _sentences(console, "Look at", result["warned"])
    _sentences(console, "Refused", [f"{each['file_name']}: {each['reason']}" for each in result["refused"]])
    _sentences(console, "Corrected", result["corrected"])
    _sentences(console, "Contradicted", result["contradicted"])
    _sentences(console, "Quarantined", result["quarantined"] or ["none"])
    _sentences(console, "Reported", reporting_sentences(result))
    if changes := result["changes"]:
        console.print(f"Compared with {changes['before']['snapshot_id']}")
        _moves(console, changes["regions"], changes["regions_changed"])
        _sentences(console, "Differs", difference_sentences(changes))
    what = {"published": "published as", "held": "held as candidate", "unchanged": "nothing new; it stands on"}
    console.print(f"Snapshot     {what[result['outcome']]} {result['snapshot_id']}")
    if result["withdrawn"]:
        console.print(f"             WITHDRAWN {result['withdrawn']}", style="bold", soft_wrap=True)
    if result["withdrawn"]:
        return _places(console, result)
    if result["stable_snapshot_id"] not in (None, result["snapshot_id"]):
        console.print(f"             a candidate; stable still stands on {result['stable_snapshot_id']}")
        promote = f"{_program()} snapshots promote {result['snapshot_id']} --reason '...' --store {result['store']}"
        if result["is_promotable"]:
            console.print(f"Promote      {promote}", soft_wrap=True)
    elif result["stable_snapshot_id"] is None:
        console.print(
            "             simulated data never becomes stable"
            if result["is_synthetic"]
            else "             nothing is stable"
        )
    return _places(console, result)


def _places(console: Console, result: Mapping[str, Any]) -> None:
    """Where everything lies that a night wrote."""
    for label, name in (
        ("Tables", "snapshot"),
        ("Stable", "stable"),
        ("Not reported", "not_reported"),
        ("This run", "run"),
        ("Gate", "gate"),
    ):
        if result[name]:
            console.print(f"{label:<12} {result[name]}", soft_wrap=True)
    console.print(
        f"Next         {_program()} snapshots show {result['snapshot_id']} --store {result['store']}", soft_wrap=True
    )


def _moves(console: Console, regions: Sequence[Mapping[str, Any]], count: int) -> None:
    columns = ("region_level", "approach", "region_code", "region_name", "change")
    rows = [
        [
            *(each[column] for column in columns),
            *(f"{_said(each[f'{name}_before'])} > {_said(each[f'{name}_after'])}" for name in MOVES),
        ]
        for each in regions
    ]
    if rows:
        console.print(_table((*columns, *MOVES), rows, f"{count} region(s) have another score, rank or category"))
    else:
        console.print("No region has another score, rank or category")


def _said(value: object) -> str:
    return "-" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)


def _snapshots_diff(console: Console, result: Mapping[str, Any]) -> None:
    before, after = result["before"], result["after"]
    console.print(f"{result['edition']}: {before['snapshot_id']} > {after['snapshot_id']}", style="bold")
    console.print("the same content" if result["is_same_content"] else "the content differs")
    _moves(console, result["regions"][:SHOWN_ROWS], len(result["regions"]))
    _sentences(console, "Differs", difference_sentences(result))


def _snapshots_diff_markdown(console: Console, result: Mapping[str, Any]) -> None:
    from flows.results.markdown import difference_markdown

    console.print(difference_markdown(result), soft_wrap=True, end="")


def _program() -> str:
    """What to type to call this program again from here."""
    called = Path(sys.argv[0])
    if called.name != "kerawanan" or shutil.which("kerawanan") == str(called):
        return "kerawanan"
    return os.path.relpath(called) if called.is_relative_to(Path.cwd()) else str(called)


def _ingest(console: Console, result: Mapping[str, Any]) -> None:
    for each in result["admitted"]:
        console.print(f"admitted  {each['file_name']} ({each['size']} bytes) as {each['source']}: {each['sha256']}")
    for each in result["known"]:
        console.print(f"known     {each['file_name']}: the same bytes were received {each['received_at']}")
    for each in result["withdrawn"]:
        console.print(f"withdrawn {each['file_name']}: these bytes were withdrawn and do not count; send another file")
    for each in result["refused"]:
        console.print(f"refused   {each['file_name']}: {each['reason']}", soft_wrap=True)


def _validate(console: Console, result: Mapping[str, Any]) -> None:
    for each in result["extracts"]:
        if "refused" in each:
            console.print(f"{each['file_name']}: refused: {each['refused']}", soft_wrap=True)
            continue
        _read(console, each)
        _problems(console, each)


def _read(console: Console, extract: Mapping[str, Any]) -> None:
    console.print(
        f"{extract['file_name']} as {extract['source']}: {extract['rows']} figures, {extract['rows_admitted']} "
        f"admitted, {extract['rows_quarantined']} quarantined",
        style="bold",
    )
    if extract["is_over_limit"]:
        console.print(
            f"refused whole: more than {extract['limit']} of it is wrong, so that nothing of it would be used"
        )


def _problems(console: Console, extract: Mapping[str, Any]) -> None:
    """The worst problems of an extract, those that keep out most figures first; one that many have is said once."""
    worst = extract["problems"]
    for number, problem in enumerate(worst[:SHOWN_ROWS], start=1):
        figures = problem["figures"]
        where = f" in column {problem['column']}" if problem["column"] else ""
        console.print(
            f"{number:>3}. {problem['rule']}{where}: {figures} figure(s). {problem['action_en']}", soft_wrap=True
        )
        others = problem["sentences"] - len(problem["examples"])
        for sentence in [*problem["examples"], *([f"and {others} others like it"] if others > 0 else [])]:
            console.print(f"     {sentence}", soft_wrap=True)
        more = figures - len(problem["places"])
        console.print(
            f"     {', '.join([*problem['places'], *([f'and {more} more'] if more > 0 else [])])}", soft_wrap=True
        )
    if len(worst) > SHOWN_ROWS:
        console.print(f"     ... and {len(worst) - SHOWN_ROWS} more problems (--format json shows all)")
    if extract.get("marked"):
        console.print(f"Marked     {extract['marked']}", soft_wrap=True)
    elif worst:
        console.print("To send it back with the wrong cells marked: --marked FOLDER")


def _extracts_list(console: Console, result: Mapping[str, Any]) -> None:
    rows = [
        (
            each["sha256"][:12],
            each["source"] or "unknown",
            each["file_name"],
            str(each["received_at"])[:16].replace("T", " "),
            each["state"],
        )
        for each in result["extracts"]
    ]
    console.print(f"{len(rows)} extract(s) in {result['store']}", soft_wrap=True)
    console.print(_table(("extract", "source", "file", "received (UTC)", "state"), rows))


def _extracts_show(console: Console, result: Mapping[str, Any]) -> None:
    if "refused" in result:
        console.print(f"{result['file_name']}: as its source is declared today it is refused: {result['refused']}")
    else:
        _read(console, result)
    facts = {"sha256": result["sha256"], "received": result["received_at"], "size": f"{result['size']} bytes"}
    for label, fact in facts.items():
        console.print(f"{label:<10} {fact}", soft_wrap=True)
    if result["withdrawn"]:
        note = result["withdrawn"]
        console.print(f"withdrawn  {note['withdrawn_at']}: {note['reason']}", soft_wrap=True)
    for use in result["used_in"]:
        figures = ", ".join(f"{count} {state}" for state, count in use["figures"].items())
        console.print(f"figures    {figures} (in {use['edition']}, {use['snapshot_id']})", soft_wrap=True)
    if "problems" in result:
        _problems(console, result)


def _extracts_withdraw(console: Console, result: Mapping[str, Any]) -> None:
    console.print(
        f"{result['file_name']} ({result['sha256'][:12]}) is withdrawn: nights from today on do not count it; it stays "
        "in the store, and earlier nights are as they were",
        soft_wrap=True,
    )


def _extracts_erase(console: Console, result: Mapping[str, Any]) -> None:
    console.print(f"{result['file_name']} ({result['sha256'][:12]}) is erased; a note of it stays", soft_wrap=True)


def _sources_list(console: Console, result: Mapping[str, Any]) -> None:
    columns = ("source", "format", "layout", "precedence", "pattern", "title")
    console.print(_table(columns, [[each[column] for column in columns] for each in result["sources"]]))


def _sources_check(console: Console, result: Mapping[str, Any]) -> None:
    if result.get("refused"):
        console.print(f"{result['file_name']}: refused: {result['refused']}", soft_wrap=True)
    for table in result["tables"]:
        console.print(f"Sheet {table['sheet'] or '(the file)'}: header in row {table['header_row']}", style="bold")
        console.print(_table(("read as", "column"), list(table["columns"].items())))
        _sentences(console, "Missing", table["missing"])
        _sentences(console, "Columns that are not read", table["columns_not_read"])
        left = len(table["totals_left_out"])
        console.print(f"{table['rows_below']} rows below it" + (f", {left} of them totals, left out" if left else ""))
        if table["rows_left_out"]:
            said = [f"{rows} x {have}" for have, rows in table["left_out_have"].items()]
            _sentences(console, f"{table['rows_left_out']} rows left out, as the source says in where", said)
    if "rows" in result:
        _read(console, result)
        _sentences(console, "Not admitted", [f"{each['rows']} x {each['message_en']}" for each in result["violations"]])


def _sources_propose(console: Console, result: Mapping[str, Any]) -> None:
    for remark in result["remarks"]:
        console.print(f"# {remark}", soft_wrap=True)
    console.print(result["entry"], soft_wrap=True, end="")


def _backfill(console: Console, result: Mapping[str, Any]) -> None:
    for edition, plan in groupby(result["plan"], lambda each: each["edition"]):
        nights = list(plan)
        console.print(f"{edition}: {len(nights)} night(s), {nights[0]['as_of']} to {nights[-1]['as_of']}", style="bold")
        for state, sentence in PLANNED.items():
            days = [each["as_of"] for each in nights if each["state"] == state]
            if days:
                console.print(f"  {len(days):>4} {sentence}: {_spans(days)}", soft_wrap=True)
    if not result["run_id"]:
        console.print("Nothing was done: add --execute to do it.")
        return
    ended = Counter(each["outcome"] for each in result["nights"])
    console.print(f"Done         {', '.join(f'{count} {outcome}' for outcome, count in sorted(ended.items()))}")
    for outcome in ("failed", "held"):
        bad = sorted((each for each in result["nights"] if each["outcome"] == outcome), key=_why)
        alike = [(why, [each["as_of"] for each in nights]) for why, nights in groupby(bad, _why)]
        sentences = [f"{edition}, {_spans(days)}: {reason}" for (edition, reason), days in alike]
        _sentences(console, outcome.capitalize(), sentences)
    for each in result["promoted"]:
        console.print(f"Stable       {each['edition']} stands on {each['snapshot_id']}", soft_wrap=True)
    if result["not_promoted"]:
        console.print(f"Not promoted {result['not_promoted']}", soft_wrap=True)
    console.print(f"This run     {result['run_id']}")


def _why(night: Mapping[str, Any]) -> tuple[str, str]:
    return night["edition"], night["reason"]


PLANNED = {
    "computes": "to compute",
    "stands": "the same as another night, only written down",
    "done": "done already",
    "empty": "with no extract yet, which fail",
}


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


def _runs_list(console: Console, result: Mapping[str, Any]) -> None:
    columns = ("run_id", "edition", "night", "outcome", "extracts", "rows", "rows_quarantined", "seconds")
    rows = [
        [each.get(name, f"{each['nights']} nights" if name == "night" else None) for name in columns]
        for each in result["runs"]
    ]
    console.print(f"{len(rows)} run(s) in {result['store']}", soft_wrap=True)
    console.print(_table(columns, rows))


def _runs_show(console: Console, result: Mapping[str, Any]) -> None:
    shown = ("run_id", "edition", "as_of", "started_at", "outcome", "reason", "snapshot_id", "same_inputs_as_run")
    for name in shown:
        if result.get(name) is not None:
            console.print(f"{name:<18} {result[name]}", soft_wrap=True)
    if result.get("nights"):
        columns = ("edition", "as_of", "outcome", "snapshot_id", "reason")
        console.print(_table(columns, [[each[name] for name in columns] for each in result["nights"]], "Nights"))
    if result.get("seconds"):
        console.print(_table(("step", "seconds"), list(result["seconds"].items()), "Steps"))
    _sentences(console, "Refused", [f"{each['file_name']}: {each['reason']}" for each in result.get("refused", ())])
    _sentences(console, "Files", result["files"])


def _snapshots_list(console: Console, result: Mapping[str, Any]) -> None:
    rows = [
        (
            each["snapshot_id"],
            each["edition"],
            each["as_of"],
            ", ".join(each["channels"]) + " held" * each["is_held"] + " WITHDRAWN" * bool(each["withdrawn"]),
            "synthetic" if each["is_synthetic"] else "real",
            each["content_hash"][:12],
        )
        for each in result["snapshots"]
    ]
    console.print(f"{len(rows)} snapshot(s) in {result['store']}", soft_wrap=True)
    console.print(_table(("snapshot", "edition", "as_of", "stands for", "data", "content"), rows))


def _snapshots_show(console: Console, result: Mapping[str, Any]) -> None:
    console.print(f"{result['title']} ({result['edition']})", style="bold")
    before = result["predecessor"]
    facts = {
        "snapshot": result["snapshot_id"],
        "as of": result["as_of"],
        "content": result["content_hash"],
        "methodology": result["methodology_digest"],
        "code": f"{result['code']['version']} {result['code']['sha256']}",
        "predecessor": before["snapshot_id"] if before else "none",
        "data": "SIMULATED" if result["is_synthetic"] else "real",
        "withdrawn": result["withdrawn"] or "no",
        "tables": result["snapshot"],
    }
    for label, fact in facts.items():
        console.print(f"{label:<12} {fact}", soft_wrap=True)
    inputs = [
        (each["file_name"], each["source"], each["rows"], each["rows_admitted"], each["sha256"][:12])
        for each in result["inputs"]
    ]
    console.print(_table(("extract", "source", "rows", "admitted", "sha256"), inputs, "Stands on"))
    _index(console, result)


def _snapshots_promote(console: Console, result: Mapping[str, Any]) -> None:
    console.print(
        f"stable of {result['edition']} stands on {result['snapshot_id']}: {result['stable']}", soft_wrap=True
    )


def _snapshots_withdraw(console: Console, result: Mapping[str, Any]) -> None:
    console.print(f"{result['snapshot_id']} is withdrawn: it stays readable and is marked", soft_wrap=True)
    for channel in CHANNELS:
        console.print(f"{channel} of {result['edition']} stands on {result[channel] or 'nothing'}", soft_wrap=True)
    console.print(
        "Next: withdraw the extract that is wrong, or send a correction; then run the night again", soft_wrap=True
    )


def _snapshots_prune(console: Console, result: Mapping[str, Any]) -> None:
    what = "removed" if result["is_done"] else "would be removed"
    for each in result["snapshots"]:
        console.print(f"{what}  snapshot {each['snapshot_id']} of {each['edition']} as of {each['as_of']}")
    for run_id in result["runs"]:
        console.print(f"{what}  run {run_id}")
    counted = f"{len(result['snapshots'])} snapshot(s) and {len(result['runs'])} run(s)"
    console.print(f"{counted} older than {result['keep_days']} days that nothing refers to {what}", soft_wrap=True)
    if not result["is_done"] and (result["snapshots"] or result["runs"]):
        console.print(f"Next: {_program()} snapshots prune --keep-days {result['keep_days']} --execute", soft_wrap=True)


def _snapshots_verify(console: Console, result: Mapping[str, Any]) -> None:
    for kind in ("damage", "unfinished"):
        for each in result[kind]:
            console.print(f"{kind}  {each['where']}: {each['sentence']}", soft_wrap=True)
    for each in result["rebuilt"]:
        same = "comes out again" if each["is_same"] else "does NOT come out again"
        console.print(
            f"rebuilt  {each['snapshot_id']} of {each['edition']} {same}: {each['content_hash']}", soft_wrap=True
        )
        _sentences(console, "Because", each["causes"])
    verdict = f"{len(result['damage'])} damage(s) found" if result["damage"] else "verified: nothing was changed"
    console.print(f"{len(result['verified'])} snapshot(s) in {result['store']}: {verdict}", soft_wrap=True)


def _methodology_list(console: Console, result: Mapping[str, Any]) -> None:
    rows = [
        (
            each["edition"],
            each.get("status", "broken"),
            each.get("nodes"),
            each.get("title", f"{each['problems']} problem(s); kerawanan methodology check {each['edition']}"),
        )
        for each in result["editions"]
    ]
    console.print(_table(("edition", "status", "nodes", "title"), rows))


def _methodology_show(console: Console, result: Mapping[str, Any]) -> None:
    console.print(f"{result['title_en']} ({result['edition']}, {result['status']})", style="bold")
    console.print(f"period {result['period']}; {result['reference_period']}", soft_wrap=True)
    console.print(f"digest {result['digest']}")
    columns = ("node_code", "parent_code", "level", "weight", "normalisation", "aggregation", "evidence", "name_en")
    console.print(_table(columns, [[node[column] for column in columns] for node in result["nodes"]], "Nodes"))
    rules = [
        (each["level"], each["approach"] or "any", each["node"] or "any", each["basis"], each["evidence"], each["note"])
        for each in result["cut_offs"]
    ]
    console.print(
        _table(("level", "approach", "node", "basis", "evidence", "note"), rules, "Cut-offs, first that applies")
    )
    _sentences(console, "Corrections", [f"{each['id']}: {each['reason']}" for each in result["corrections"]])
    console.print(f"weights: {result['weights']}; missing: {result['missing']}")
    console.print(f"Comparability: {result['comparability']}", soft_wrap=True)


def _methodology_check(console: Console, result: Mapping[str, Any]) -> None:
    for each in result["problems"]:
        row = f", row {each['row']}" if each["row"] else ""
        console.print(f"{each['file']}{row}: {each['sentence']}", soft_wrap=True)
    verdict = f"{len(result['problems'])} problem(s)" if result["problems"] else "every rule holds"
    console.print(f"{', '.join(result['editions'])}: {verdict}")
    if result["left_out"]:
        console.print(f"Not checked, as your folder has regions of its own: {', '.join(result['left_out'])}")


SHOWN_AS = {
    "ingest": _ingest,
    "validate": _validate,
    "extracts_list": _extracts_list,
    "extracts_show": _extracts_show,
    "extracts_withdraw": _extracts_withdraw,
    "extracts_erase": _extracts_erase,
    "sources_list": _sources_list,
    "sources_check": _sources_check,
    "sources_propose": _sources_propose,
    "run": _night,
    "backfill": _backfill,
    "runs_list": _runs_list,
    "runs_show": _runs_show,
    "snapshots_list": _snapshots_list,
    "snapshots_show": _snapshots_show,
    "snapshots_diff": _snapshots_diff,
    "snapshots_diff_markdown": _snapshots_diff_markdown,
    "snapshots_promote": _snapshots_promote,
    "snapshots_withdraw": _snapshots_withdraw,
    "snapshots_prune": _snapshots_prune,
    "snapshots_verify": _snapshots_verify,
    "methodology_list": _methodology_list,
    "methodology_show": _methodology_show,
    "methodology_check": _methodology_check,
}
