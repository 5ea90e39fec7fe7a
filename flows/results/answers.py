"""What commands answer about nights, runs and snapshots: plain data, and the sentences that text and Markdown share."""

import json
from collections import Counter
from datetime import date, datetime
from typing import Any

import polars as pl

from flows.night.request import Night
from schemas.methodology.regions import LEVELS
from warehouse.snapshots.channels import gone, head, log_entries, named, snapshot_folder, stable_folder
from warehouse.snapshots.diff import difference
from warehouse.snapshots.history import history_folder, run_row
from warehouse.snapshots.nights import night_key
from warehouse.snapshots.runs import run_folder, run_records
from warehouse.snapshots.snapshots import find_snapshot, read_manifest
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
