"""What the artifact of a night says, in Markdown: for people who open the run in Prefect's pages."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from flows.night.backfill import Ended
from flows.results.sentences import PLANNED, difference_sentences, reporting_sentences

SHOWN = 20
PAIRS = ("score_before", "score_after", "rank_before", "rank_after", "category_before", "category_after")


def night_markdown(result: Mapping[str, Any]) -> str:
    """The result of a night: outcome, top of the index, categories, quarantine, and where everything lies."""
    synthetic = " **SIMULATED DATA: nothing here says anything about Indonesia.**" if result["is_synthetic"] else ""
    parts = [
        f"# {result['edition']} as of {result['as_of']}: {result['outcome']}\n{synthetic}",
        (
            f"{result['extracts']} extracts ({result['new_extract_count']} new), {result['rows']} figures, of which "
            f"{result['rows_admitted']} were admitted and {result['rows'] - result['rows_admitted']} quarantined."
        ),
        f"**This snapshot was withdrawn** {_text(result['withdrawn'])}" if result["withdrawn"] else "",
        _list("Held because", result["critical"]),
        _list("Look at", result["warned"]),
        f"## Top of {_text(result['top_of'])}",
        _table(("rank", "region_code", "region_name", "score", "category", "origin"), result["top"]),
        "## Regions per category",
        _table(("region_level", "approach", "category", "regions"), result["categories"]),
        _missed(result.get("missed", ())),
        _list("Refused", [f"{each['file_name']}: {each['reason']}" for each in result["refused"]]),
        _list("Quarantined", result["quarantined"] or ["nothing"]),
        _list("Reported", reporting_sentences(result)),
        _list("Offices that sent nothing", result["silent"]),
        _changes(result["changes"]) if result["changes"] else "",
        _list("Corrected", result["corrected"]),
        _list("Contradicted", result["contradicted"]),
        "## Where it lies",
        "\n".join(
            f"- {label}: {_text(result[name])}"
            for label, name in (
                ("snapshot", "snapshot"),
                ("stable", "stable"),
                ("this run", "run"),
                ("gate", "gate"),
                ("who has not reported what", "not_reported"),
                ("history over all nights", "history"),
            )
            if result[name]
        ),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _missed(nights: Sequence[Ended]) -> str:
    told = [f"{each.as_of}: {each.outcome}. {each.reason or each.snapshot_id}" for each in nights]
    return _list("Nights that were missed, computed before", told)


def backfill_sentence(result: Mapping[str, Any]) -> str:
    """What a backfill would do, or did, as numbers."""
    done = bool(result["run_id"])
    counted = (
        Counter(each["outcome"] for each in result["nights"])
        if done
        else Counter(PLANNED[each["state"]] for each in result["plan"])
    )
    told = "; ".join(f"{count} {what}" for what, count in counted.items())
    return f"{len(result['plan'])} night(s): {told}" + ("" if done else ". Nothing was done: switch execute on.")


def backfill_markdown(result: Mapping[str, Any]) -> str:
    """What a backfill would do, or how each of its nights ended."""
    done = bool(result["run_id"])
    rows = result["nights"] if done else result["plan"]
    columns = (
        ("edition", "as_of", "outcome", "snapshot_id", "reason") if done else ("edition", "as_of", "state", "like")
    )
    parts = [
        f"# {'Done' if done else 'Planned'}: {_text(result['reason'])}",
        backfill_sentence(result),
        _table(columns, rows),
        _list("Stable", [f"{each['edition']} stands on {each['snapshot_id']}" for each in result["promoted"]]),
        _list("Not promoted", [result["not_promoted"]] if result["not_promoted"] else []),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def difference_markdown(diff: Mapping[str, Any]) -> str:
    """What differs between two snapshots."""
    before, after = diff["before"], diff["after"]
    parts = [
        f"# {diff['edition']}: {_text(before['snapshot_id'])} > {_text(after['snapshot_id'])}",
        "The content is the same." if diff["is_same_content"] else "The content differs.",
        _changes({**diff, "regions_changed": len(diff["regions"])}),
    ]
    return "\n\n".join(parts) + "\n"


def _changes(diff: Mapping[str, Any]) -> str:
    columns = ("region_level", "approach", "region_code", "region_name", "change", *PAIRS)
    parts = [f"## Compared with {_text(diff['before']['snapshot_id'])}"]
    if diff["regions"]:
        parts.append(f"{diff['regions_changed']} region(s) have another score, rank or category.")
        parts.append(_table(columns, diff["regions"][:SHOWN]))
    else:
        parts.append("No region has another score, rank or category.")
    return "\n\n".join([*parts, _list("What differs", difference_sentences(diff))])


def _text(value: object) -> str:
    """A value as text that Markdown shows as it is: names of files and regions are input."""
    if value is None:
        return ""
    shown = f"{value:.3f}" if isinstance(value, float) else str(value)
    return re.sub(r"([\\`*_{}\[\]<>()#+!|~&])", r"\\\1", " ".join(shown.split()))


def _table(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    lines = [" | ".join(_text(column) for column in columns), " | ".join("---" for _ in columns)]
    lines += [" | ".join(_text(row[column]) for column in columns) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def _list(title: str, sentences: Sequence[str]) -> str:
    if not sentences:
        return ""
    more = [f"... and {len(sentences) - SHOWN} more"] if len(sentences) > SHOWN else []
    return "\n".join([f"## {title}\n", *(f"- {_text(each)}" for each in [*sentences[:SHOWN], *more])])
