"""What the engine reads, for tests that make their own frames."""

from pathlib import Path

import polars as pl

from schemas.contract.dictionary import Dictionary

# Columns of a reported value that is no ratio and no sum.
NOT_A_RATIO = {
    "numerator": pl.lit(None, pl.Float64),
    "denominator": pl.lit(None, pl.Float64),
    "members_counted": pl.lit(None, pl.Int32),
}


def write_prepared(folder: Path, frames: dict[str, pl.DataFrame], dictionary: Dictionary) -> Path:
    """Write the engine's tables, with no observation and no finding, to a folder below `folder`."""
    lineage = dict.fromkeys(dictionary.tables["observation"].columns, pl.String)
    findings = dict.fromkeys(("check", "subject", "observed", "expected"), pl.String)
    empty = {
        "observation": pl.DataFrame(schema=lineage),
        "finding": pl.DataFrame(schema=findings),
        "cap": pl.DataFrame(
            schema={"population_key": pl.Int32, "node_key": pl.Int32, "cap": pl.Float64, "n": pl.Int64}
        ),
        "entered_rank": pl.DataFrame(
            schema={"unit_key": pl.Int32, "node_key": pl.Int32, "category": pl.String, "rank": pl.Int64}
        ),
        "responding": pl.DataFrame(schema={"unit_key": pl.Int32}),
    }
    prepared = folder / "prepared"
    prepared.mkdir()
    for name, frame in (frames | empty).items():
        frame.write_parquet(prepared / f"{name}.parquet")
    return prepared
