"""The gate: rules that are data, judged by Great Expectations over small marts; the result as rows and as a page."""

import importlib
import os
import sys
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, get_args

import duckdb
import pyarrow as pa

from schemas.contract.dictionary import Dictionary, Severity
from schemas.methodology.gate import MARTS, OF_THE_INDEX, GateRule
from schemas.methodology.library import Methodology
from schemas.sentence import Sentence
from warehouse.engine.database import EngineLimits, open_database, statement, statements, used, write_parquet
from warehouse.engine.engine import Stamp

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.core.batch_definition import BatchDefinition
    from jinja2 import Template

SEVERITIES = get_args(Severity)
SHOWN_CASES = 20
SHOWN_FINDINGS = 200


@dataclass(frozen=True)
class Verdict:
    """What a rule found: what it judged, what was observed, and the cases that broke it, furthest off first."""

    rule: GateRule
    judged: int
    observed: str
    broken: tuple[str, ...]

    @property
    def outcome(self) -> str:
        """The sentence of the dictionary that applies."""
        return "gate_broken" if self.broken else "gate_kept" if self.judged else "gate_no_case"

    @property
    def severity(self) -> str:
        """The rule's severity where it is broken."""
        return self.rule.severity if self.broken else "info"


@dataclass(frozen=True)
class Release:
    """What is to be judged: the draft in `tables` beside the tables that are stable, and the shares of figures and
    extracts that did not get in (`intake`).
    """

    tables: Path
    stable: Path | None
    methodology: Methodology
    intake: Mapping[str, float]
    stamp: Stamp


@dataclass(frozen=True)
class Judgement:
    """The whole result: a verdict per rule, and every row of `quality_result`."""

    release: Release
    verdicts: tuple[Verdict, ...]
    rows: tuple[dict[str, Any], ...]

    @property
    def findings(self) -> dict[str, int]:
        """How many rows each severity has."""
        return dict(Counter(row["severity"] for row in self.rows))

    @property
    def held_because(self) -> tuple[Sentence, ...]:
        """What holds the release, in sentences."""
        return tuple(
            Sentence(row["message_id"], row["message_en"]) for row in self.rows if row["severity"] == "critical"
        )


def begin_import() -> None:
    """Import Great Expectations on a thread, which takes seconds: while the engine scores, a core is often free."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    # The engine looks for pandas by itself, so pandas is whole before another thread begins.
    import pandas  # noqa: F401 - it is only to be there

    if "great_expectations" not in sys.modules:
        Thread(target=importlib.import_module, args=("great_expectations",), name="gate", daemon=True).start()


def judge_release(release: Release) -> Judgement:
    """Judge a release by the edition's rules. Adds the result to the draft's `quality_result`, in rows that the content
    hash leaves out: what was stable is no part of the figures.
    """
    tables, stable, methodology = release.tables, release.stable, release.methodology
    with open_database(EngineLimits(), [tables, *([stable] if stable else [])]) as connection:
        for name in ("node_score", "index_score", "indicator_value", "quality_result"):
            connection.read_parquet(str(tables / f"{name}.parquet")).create_view(name)
        for name in ("node_score", "indicator_value"):
            before = connection.read_parquet(str((stable or tables) / f"{name}.parquet"))
            (before if stable else before.limit(0)).create_view(f"stable_{name}")
        verdicts = tuple(_verdicts(_marts(connection, release), methodology))
        content = connection.table("quality_result").to_arrow_table()
        added = [_row(verdict, methodology.dictionary, release.stamp.snapshot_id) for verdict in verdicts]
        added.sort(key=lambda row: (row["check"], row["subject"]))
        whole = pa.concat_tables([content, pa.Table.from_pylist(added, schema=content.schema)])
        write_parquet([whole], tables / "quality_result.parquet")
    return Judgement(release, verdicts, tuple(whole.to_pylist()))


def _marts(connection: duckdb.DuckDBPyConnection, release: Release) -> dict[str, "pd.DataFrame"]:
    """The small tables that rules look at, by name."""
    import pandas as pd

    edition, gate = release.methodology.edition, release.methodology.gate
    values: dict[str, object] = {
        "nodes": sorted({edition.root.node_code} | {rule.node_code for rule in gate if rule.node_code}),
        "scale_lowest": float(edition.scale.lowest),
        "scale_highest": float(edition.scale.highest),
    }
    marts = {"intake": pd.DataFrame([{"whole": "all that was sent", **release.intake}])}
    for name in statements("sql/gate"):
        text = statement("sql/gate", name)
        marts[name.removesuffix("_mart")] = connection.sql(text, params=used(text, values)).df()
    return marts


def _verdicts(marts: Mapping[str, "pd.DataFrame"], methodology: Methodology) -> list[Verdict]:
    """A verdict for each rule."""
    cases = {rule.rule_code: _cases(rule, marts, methodology) for rule in methodology.gate}
    broken = _broken(cases)
    return [_verdict(each, broken.get(code, ())) for code, each in cases.items()]


def _broken(cases: Mapping[str, "_Cases"]) -> dict[str, Sequence[int]]:
    """The rules that are broken, and the positions of the cases that break them.

    Great Expectations judges one table that has a column for each rule, with the values in its scope: a row condition
    would be evaluated anew for every metric of every rule. Which cases break a rule is computed only where one does.
    """
    import great_expectations as gx
    import pandas as pd
    from great_expectations.expectations.core.expect_column_values_to_be_between import ExpectColumnValuesToBeBetween
    from great_expectations.expectations.metadata_types import FailureSeverity

    table = pd.DataFrame({code: pd.Series(each.values, dtype=float) for code, each in cases.items()})
    batch = _batches().get_batch({"dataframe": table})

    def validated(rules: Collection[str], result_format: dict[str, Any]) -> dict[str, Any]:
        """The result of each rule, by its code."""
        expectations = [
            ExpectColumnValuesToBeBetween(
                column=code,
                min_value=None if rule.minimum is None else float(rule.minimum),
                max_value=None if rule.maximum is None else float(rule.maximum),
                severity=FailureSeverity(rule.severity),
            )
            for code, rule in ((code, cases[code].rule) for code in rules)
        ]
        results = batch.validate(gx.ExpectationSuite("gate", expectations), result_format=result_format).results
        for each in results:
            if each.exception_info["raised_exception"]:
                raise RuntimeError(f"a rule of the gate cannot be judged: {each.exception_info}")
        return {each.expectation_config.kwargs["column"]: each for each in results if each.expectation_config}

    kept = validated(cases, {"result_format": "BOOLEAN_ONLY"})
    broken = [code for code in cases if not kept[code].success]
    if not broken:
        return {}
    whole = validated(broken, {"result_format": "COMPLETE", "return_unexpected_index_query": False})
    return {code: whole[code].result["unexpected_index_list"] for code in broken}


@cache
def _batches() -> "BatchDefinition[Any]":
    """How Great Expectations is given a table, declared once in a process."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return (
        context.data_sources.add_pandas("gate").add_dataframe_asset("gate").add_batch_definition_whole_dataframe("gate")
    )


@dataclass(frozen=True)
class _Cases:
    """What a rule judges: a value for each case, and what the cases are called."""

    rule: GateRule
    values: list[float]
    labels: list[str]


def _cases(rule: GateRule, marts: Mapping[str, "pd.DataFrame"], methodology: Methodology) -> _Cases:
    """The cases of the mart that lie in the scope of a rule and have a value."""
    frame = marts[methodology.dictionary.measures[rule.measure].mart]
    scope = _scope(rule, methodology)
    for column, value in scope.items():
        frame = frame[frame[column] == value]
    frame = frame.dropna(subset=[rule.measure])
    named = [each for each in frame.columns if each not in methodology.dictionary.measures and each not in scope]
    labels = [" / ".join(map(str, case)) for case in frame[named].itertuples(index=False)]
    return _Cases(rule, frame[rule.measure].tolist(), labels or [""] * len(frame))


def _scope(rule: GateRule, methodology: Methodology) -> dict[str, str]:
    """What narrows a rule: column and value."""
    mart = methodology.dictionary.measures[rule.measure].mart
    given = {column: getattr(rule, column) for column in MARTS[mart]}
    if mart in OF_THE_INDEX:
        given["node_code"] = rule.node_code or methodology.edition.root.node_code
    return {column: value for column, value in given.items() if value}


def _verdict(cases: _Cases, unexpected: Sequence[int]) -> Verdict:
    """The verdict of a rule, of which the cases at some positions are broken."""
    rule, values = cases.rule, cases.values
    lowest, highest = (_plain(min(values)), _plain(max(values))) if values else ("", "")
    observed = lowest if lowest == highest else f"{lowest} - {highest} ({len(values)})"
    middle = float(((rule.minimum or 0) + (rule.maximum or 0)) / 2)
    worst = sorted(unexpected, key=lambda about: -abs(values[about] - middle))
    broken = tuple(
        f"{cases.labels[about]}: {_plain(values[about])}" if cases.labels[about] else _plain(values[about])
        for about in worst
    )
    return Verdict(rule, len(values), observed, broken)


def _plain(number: float) -> str:
    return f"{number:.6g}"


def _row(verdict: Verdict, dictionary: Dictionary, run_id: str) -> dict[str, Any]:
    """A verdict as a row of `quality_result`."""
    rule = verdict.rule
    measure, sentence = dictionary.measures[rule.measure], dictionary.rules[verdict.outcome]
    about = " / ".join(value for value in (rule.region_level, rule.approach, rule.node_code, rule.finding) if value)
    shown = "; ".join(verdict.broken[:SHOWN_CASES])
    if len(verdict.broken) > SHOWN_CASES:
        shown += f"; ... and {len(verdict.broken) - SHOWN_CASES} more"
    observed = shown or verdict.observed or None

    def filled(text: str, meaning: str) -> str:
        subject = f"{meaning} ({about})" if about else meaning
        return text.format(subject=subject[0].upper() + subject[1:], observed=observed, expected=rule.allowed)

    return {
        "run_id": run_id,
        "scope": "release",
        "check": rule.rule_code,
        "severity": verdict.severity,
        "subject": about or rule.measure,
        "observed": observed,
        "expected": rule.allowed,
        "message_id": filled(sentence.message_id, measure.meaning_id),
        "message_en": filled(sentence.message_en, measure.meaning_en),
    }


@cache
def _template() -> "Template":
    """The page of the gate, compiled once in a process."""
    from jinja2 import Environment

    text = (files("warehouse.engine") / "gate.html.j2").read_text(encoding="utf-8")
    return Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(text)


def write_page(file: Path, judgement: Judgement, refused: Sequence[Mapping[str, Any]]) -> None:
    """Write a judgement as one page that needs nothing from outside, with the files that were refused whole."""
    methodology, stable = judgement.release.methodology, judgement.release.stable
    rows = {row["check"]: row for row in judgement.rows if row["scope"] == "release"}
    page = _template().render(
        edition=methodology.edition,
        stamp=judgement.release.stamp,
        is_held=judgement.findings.get("critical", 0) > 0,
        stable=stable.parent.name if stable else None,
        rules=[
            {
                "verdict": verdict,
                "row": rows[verdict.rule.rule_code],
                "measure": methodology.dictionary.measures[verdict.rule.measure],
            }
            for verdict in judgement.verdicts
        ],
        findings=sorted(
            (row for row in judgement.rows if row["check"] not in {rule.rule_code for rule in methodology.gate}),
            key=lambda row: SEVERITIES.index(row["severity"]),
        ),
        refused=refused,
        shown=SHOWN_CASES,
        most=SHOWN_FINDINGS,
    )
    file.write_text(page, encoding="utf-8")
