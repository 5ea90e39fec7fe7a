"""The data of the benchmark, in the shape of IKP 2024: n regions x 61 indicators in a tree of its own.

The values are integer arithmetic, so that other programs make the same ones and check sums can be compared.

    python -m benchmarks.data FOLDER REGIONS GAP_SHARE
"""

import csv
import sys
from collections.abc import Iterator
from importlib.resources import files
from math import ceil
from pathlib import Path

import duckdb
import polars as pl

from schemas.methodology.edition import NODE_COLUMNS
from schemas.methodology.library import Library, Methodology
from schemas.methodology.regions import REGION_COLUMNS
from transforms.engine_tables.design import design_frames

EDITION = "benchmark"
INDICATORS, SUBDIMENSIONS = 61, 12
GAP = 0.02
DIMENSION_WEIGHTS = ("0.3", "0.25", "0.25", "0.2")
SOURCES = """\
observed:
  title: "Invented numbers"
  pattern: "observed-*.csv"
  format: csv
  separator: ","
  layout: long
  encoding: utf-8
  precedence: 1
  evidence: A
  columns: {region: [unit], item: [indicator], value: [value]}
  number_style: english
  region_key: code
  region_levels: [polling_station]
  unit: count
  measure: value
  items:
"""
EDITION_YML = """\
edition: benchmark
title_id: "Uji kecepatan"
title_en: "Benchmark"
status: complete
revision: 1
period: "0"
reference_period: "none"
regions_date: 2026-01-01
sources: [observed]
scale: {{lowest: 0, highest: 100}}
rounding: {{decimals: 2}}
weights: points
missing: {{leaf: unknown, aggregate: rescale}}
categories:
  - {{code: low, name_id: Rendah, name_en: Low}}
  - {{code: medium, name_id: Sedang, name_en: Medium}}
  - {{code: high, name_id: Tinggi, name_en: High}}
region_levels:
  - {{level: polling_station, approaches: [input], regions: {units}, ranked: true, scaled_from: 0.5}}
cut_offs:
  - level: polling_station
    basis: mean_sd
    evidence: A
    boundaries:
      - {{between: [low, medium], sd: -1, belongs_to: medium}}
      - {{between: [medium, high], sd: 1, belongs_to: medium}}
comparability: "Invented numbers."
"""


def tree() -> Iterator[tuple[str, str, int, str, int]]:
    """The nodes below the index: code, parent, level, weight, direction."""
    for j in range(1, INDICATORS + 1):
        k = ceil(SUBDIMENSIONS * j / INDICATORS)
        yield f"i{j:02}", f"s{k:02}", 1, f"{1 + (j % 4) / 2}", -1 if j % 5 == 0 else 1
    for k in range(1, SUBDIMENSIONS + 1):
        yield f"s{k:02}", f"d{ceil(k / 3)}", 2, f"{1 + k % 3}", 1
    for d, weight in enumerate(DIMENSION_WEIGHTS, start=1):
        yield f"d{d}", "index", 3, weight, 1


def write_benchmark(folder: Path, units: int, gap: float = GAP) -> Methodology:
    """Write the observations as a plain long table, and the same as the engine's prepared tables; the methodology.

    `gap` is the share of the observations that is blank.
    """
    _write_methodology(folder / "methodology", units)
    methodology = Library(folder / "methodology").edition(EDITION)
    prepared = folder / "prepared"
    prepared.mkdir()
    frames = design_frames(methodology)
    frames |= {
        "entered": pl.DataFrame(schema={"unit_key": pl.Int32, "node_key": pl.Int32, "score": pl.Float64}),
        "responding": pl.DataFrame(schema={"unit_key": pl.Int32}),
        "cap": pl.DataFrame(
            schema={"population_key": pl.Int32, "node_key": pl.Int32, "cap": pl.Float64, "n": pl.Int64}
        ),
        "entered_rank": pl.DataFrame(
            schema={"unit_key": pl.Int32, "node_key": pl.Int32, "category": pl.String, "rank": pl.Int64}
        ),
        "observation": pl.DataFrame(
            schema=dict.fromkeys(methodology.dictionary.tables["observation"].columns, pl.String)
        ),
        "finding": pl.DataFrame(schema=dict.fromkeys(("check", "subject", "observed", "expected"), pl.String)),
    }
    for name, frame in frames.items():
        frame.write_parquet(prepared / f"{name}.parquet")
    with duckdb.connect(config={"temp_directory": str(folder / "spill")}) as connection:
        plain = folder / "plain.parquet"
        observed = connection.sql(_statement("observed"), params={"units": units, "gap": gap})
        observed.write_parquet(str(plain), compression="snappy")
        for name, file in (("plain", plain), ("unit", prepared / "unit.parquet"), ("node", prepared / "node.parquet")):
            connection.read_parquet(str(file)).create_view(name)
        connection.sql(_statement("reported")).write_parquet(str(prepared / "reported.parquet"), compression="snappy")
    return methodology


def _statement(name: str) -> str:
    return (files("benchmarks") / "sql" / f"{name}.sql").read_text(encoding="utf-8")


def _write_methodology(folder: Path, units: int) -> None:
    edition = folder / "editions" / EDITION
    edition.mkdir(parents=True)
    (folder / "regions").mkdir()
    (edition / "edition.yml").write_text(EDITION_YML.format(units=units))
    leaves = [code for code, _, level, _, _ in tree() if level == 1]
    items = "".join(f'    "{code}": {{item: {code}, approach: input}}\n' for code in leaves)
    (folder / "sources.yml").write_text(SOURCES + items)
    with (edition / "nodes.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, NODE_COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        for code, parent, level, weight, direction in (*tree(), ("index", "", 4, "", 1)):
            leaf = {"normalisation": "min_max", "source_item": code, "unit": "count"}
            above = {"normalisation": "none", "aggregation": "arithmetic_mean", "unit": "score_100"}
            facts = {"node_code": code, "parent_code": parent, "level": level, "weight": weight, "direction": direction}
            named = {"kind": "node", "name_id": code, "name_en": code, "evidence": "A"}
            writer.writerow({**facts, **named, **(leaf if level == 1 else above)})
    with (folder / "regions/regions.csv").open("w", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(REGION_COLUMNS)
        codes = (f"U{number:07}" for number in range(1, units + 1))
        lines.writerows((code, "polling_station", code, "", "unit", "", "", "", "") for code in codes)


if __name__ == "__main__":
    where, number, share = sys.argv[1:]
    write_benchmark(Path(where), int(number), float(share))
