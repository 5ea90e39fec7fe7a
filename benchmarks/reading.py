"""Parsing and validating the simulated forms, beside a bare read and cast of the same files:

    python -m benchmarks.reading FOLDER

prints both in seconds, as JSON.
"""

import io
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pandera.polars  # noqa: F401 - importing is not what is measured
import polars as pl
from python_calamine import CalamineWorkbook

from flows.night.intake import source_of
from schemas.methodology.library import Library, Methodology
from schemas.methodology.sources import Source
from transforms.extracts.admission import admission, identified
from transforms.extracts.parse import extract_rows
from transforms.regions.lookup import region_lookup

EDITION = "ikp-2024-simulated"


def bare(contents: list[bytes], source: Source) -> pl.DataFrame:
    """The cells as text, the value column cast, nothing looked at."""
    (value,) = source.columns.value
    frames = []
    for content in contents:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        header, *rows = workbook.get_sheet_by_name(source.sheet or "").to_python()
        frames.append(
            pl.DataFrame([[str(cell) for cell in row] for row in rows], [str(c) for c in header], orient="row")
        )
    return pl.concat(frames).with_columns(pl.col(value).cast(pl.Float64, strict=False))


def validated(contents: list[bytes], source: Source, methodology: Methodology) -> pl.DataFrame:
    """The rows that are admitted."""
    identity = {"source": "forms", "file_name": "form", "extract_sha256": "0" * 64, "is_synthetic": True}
    identity["received_at"] = datetime(2026, 1, 1, tzinfo=UTC)
    rows = pl.concat(identified(extract_rows(content, source), **identity) for content in contents)
    lookup = region_lookup(methodology.reference, source, methodology.edition.regions_date)
    return admission(rows, source, methodology.corrections, lookup, methodology.dictionary).admitted


if __name__ == "__main__":
    files = sorted(Path(sys.argv[1]).iterdir())
    known = Library().edition(EDITION)
    forms = known.sources[source_of(files[0].name, known.sources)]
    texts = [file.read_bytes() for file in files]
    validated(texts[:1], forms, known)  # imports
    start = time.perf_counter()
    bare(texts, forms)
    middle = time.perf_counter()
    validated(texts, forms, known)
    sys.stdout.write(json.dumps({"bare": middle - start, "validated": time.perf_counter() - middle}))
