"""Very many rows that fail: they are counted and kept out, and neither time nor memory grows out of hand."""

import json
import subprocess
import sys
from typing import Any, NamedTuple

import pytest

from tests.conftest import ROOT
from transforms.extracts.problems import MOST_DESCRIBED

MANY, SOME = 3_000_000, 300_000  # as many lines as one extract may have
MOST_MEMORY = 4_000_000_000  # bytes: of the machine that the docs promise
MOST_SECONDS = 60.0
KINDS = ("out_of_range", "not_a_number", "mixed", "unknown_region", "conflicting_rows", "everything")
RULES = {
    "mixed": {"out_of_range", "not_a_number"},
    "everything": {"blank_region", "unknown_item", "ragged_row", "bad_date", "not_a_number"},
}

# A process of its own, so that the peak of its memory is that of the admission.
ADMISSION = """
import json, resource, sys, time
from datetime import date

import polars as pl

resource.setrlimit(resource.RLIMIT_AS, (16 << 30, 16 << 30))  # rather than that of the whole machine

from schemas.methodology.library import Library
from schemas.methodology.sources import Source
from transforms.extracts.admission import admission, identified
from transforms.extracts.parse import extract_rows
from transforms.regions.lookup import region_lookup

count, kind, name = int(sys.argv[1]), sys.argv[2], "media-kabkota"
library = Library()
source = library.sources[name]
lookup = region_lookup(library.reference, source, date(2024, 1, 1))
row = pl.col("row")
large, word = pl.format("{},25", row + 101), pl.format("kira-kira {}", row)
figure = {
    "out_of_range": large,
    "not_a_number": word,
    "mixed": pl.when(row % 2 == 0).then(large).otherwise(word),
    "unknown_region": pl.lit("12,5"),
    "conflicting_rows": pl.format("12,{}", row % 7),
    "everything": word,
}[kind]
region = pl.format("Kabupaten Entah {}", row) if kind == "unknown_region" else pl.lit("Kab. Bandung")
is_all = kind == "everything"
# As a reader gives them, whatever columns that has: one row, many times over.
table = b"Kabupaten/Kota;Variabel;Skor\\nKab. Bandung;Skor IKP;12,5\\n"
as_csv = {"format": "csv", "separator": ";", "encoding": "utf-8", "sheet": None}
one = extract_rows(table, Source.model_validate(source.model_dump() | as_csv))
numbers = pl.select(row=pl.int_range(2, count + 2, dtype=pl.Int64))
rows = numbers.join(one.drop("row"), how="cross").select(one.columns).with_columns(
    region=pl.lit(None, pl.String) if is_all else region,
    item=pl.lit("Entah" if is_all else "Skor IKP"),
    value_text=figure,
    date=pl.lit("kemarin" if is_all else None, pl.String),
    is_ragged=pl.lit(is_all),
)
named = identified(rows, source=name, file_name="banyak.xlsx", extract_sha256="0" * 64)
started = time.perf_counter()
read = admission(named, source, library.corrections, lookup, library.dictionary)
# Not ru_maxrss, which begins with the memory of the process that started this one.
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
peak = int(status["VmHWM"].split()[0]) * 1024
answer = {
    "seconds": time.perf_counter() - started,
    "peak": peak,
    "admitted": read.admitted.height,
    "quarantined": read.quarantine.height,
    "rules": sorted(read.quarantine["rule"].unique()),
    "columns": sorted(read.quarantine["column"].drop_nulls().unique()),
    "first": read.quarantine.row(0, named=True),
}
print(json.dumps(answer))
"""


class Outcome(NamedTuple):
    """What an admission in a process of its own took and left."""

    seconds: float
    peak: int
    admitted: int
    quarantined: int
    rules: list[str]
    columns: list[str]
    first: dict[str, Any]


def admit(count: int, kind: str) -> Outcome:
    done = subprocess.run(
        [sys.executable, "-c", ADMISSION, str(count), kind],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=4 * MOST_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    outcome = Outcome(**json.loads(done.stdout))
    print(f"{count:,} rows, {kind}: {outcome.seconds:.1f} s, peak {outcome.peak / 1e9:.2f} GB")  # noqa: T201
    return outcome


def assert_told(outcome: Outcome, kind: str, rows: int) -> None:
    assert outcome.admitted == 0
    assert outcome.quarantined == min(rows, MOST_DESCRIBED)
    assert set(outcome.rules) == RULES.get(kind, {kind})
    columns = {"unknown_region": {"Kabupaten/Kota"}, "everything": {"Kabupaten/Kota", "Skor", "Variabel"}}
    assert set(outcome.columns) == columns.get(kind, {"Skor"})
    assert outcome.first["row"] == 2
    assert outcome.peak < MOST_MEMORY
    assert outcome.seconds < MOST_SECONDS


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["conflicting_rows", "everything"])
def test_some_failing_rows(kind: str) -> None:
    outcome = admit(SOME, kind)
    assert_told(outcome, kind, SOME)
    assert outcome.seconds < 15
    assert outcome.peak < 2_000_000_000


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_an_extract_of_failing_rows(kind: str) -> None:
    assert_told(admit(MANY, kind), kind, MANY)
