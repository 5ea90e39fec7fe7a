"""From names and codes as offices write them to the regions valid for an edition. Nothing is ever guessed."""

import difflib
from collections.abc import Sequence

import polars as pl

from schemas.sources import Source

MOST_SUGGESTED = 1_000
BARE = r"^(PROVINSI|KABUPATEN ADMINISTRASI|KOTA ADMINISTRASI|KABUPATEN|KOTA) "
SPELLINGS = {
    r"^(PROVINSI|PROPINSI|PROV|PROP) ": "PROVINSI ",
    r"^(KABUPATEN|KAB) (ADMINISTRASI|ADM) ": "KABUPATEN ADMINISTRASI ",
    r"^(KABUPATEN|KAB) ": "KABUPATEN ",
    r"^(KOTAMADYA|KOTA) (ADMINISTRASI|ADM) ": "KOTA ADMINISTRASI ",
    r"^KOTAMADYA ": "KOTA ",
    r"(^| )KEP ": "${1}KEPULAUAN ",
}


def name_key(name: pl.Expr) -> pl.Expr:
    """A name without differences of case, punctuation, accents, spacing and of the usual abbreviations."""
    key = name.str.normalize("NFKD").str.replace_all(r"\p{M}", "").str.to_uppercase()
    key = key.str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()
    for spelling, full in SPELLINGS.items():
        key = key.str.replace(spelling, full)
    return key


def name_lookup(valid: pl.DataFrame, aliases: pl.DataFrame, levels: Sequence[str]) -> pl.DataFrame:
    """Every name by which a valid region of the levels is known: `key`, `region_code`, `region_level`, `label`."""
    regions = valid.filter(pl.col("level").is_in(levels)).select(
        region_code="code", region_level="level", label=pl.format("{} ({})", "name", "code"), name="name"
    )
    named = pl.concat(
        [
            regions,
            aliases.select(region_code="code", name="alias")
            .join(regions.drop("name"), on="region_code")
            .select(regions.columns),
        ]
    ).with_columns(name_key(pl.col("name")).alias("full"))
    bare = pl.col("full").str.replace(BARE, "")
    is_province = pl.col("region_level") == "province"
    keys = [
        pl.col("full"),
        bare,
        pl.when(is_province).then(pl.format("PROVINSI {}", bare)),
    ]
    return (
        named.with_columns(pl.concat_list(keys).alias("key"))
        .explode("key")
        .drop_nulls("key")
        .select("key", "region_code", "region_level", "label")
        .unique(maintain_order=True)
    )


def code_lookup(regions: pl.DataFrame, valid: pl.DataFrame, levels: Sequence[str]) -> pl.DataFrame:
    """Every Kemendagri code, of either generation, that stands for a valid region: as `name_lookup`."""
    wanted = valid.filter(pl.col("level").is_in(levels))
    other = regions.select(pl.col("code").alias("key"), "code_2020")
    pairs = pl.concat(
        [
            wanted.select(key="code", code="code"),
            wanted.drop_nulls("code_2020").select(key="code_2020", code="code"),
            wanted.join(other, left_on="code", right_on="code_2020", how="inner").select("key", "code"),
        ]
    ).unique()
    return pairs.join(wanted, on="code").select(
        "key", region_code="code", region_level="level", label=pl.format("{} ({})", "name", "code")
    )


def region_lookup(regions: pl.DataFrame, valid: pl.DataFrame, aliases: pl.DataFrame, source: Source) -> pl.DataFrame:
    """The texts that a source may name regions by, and the valid regions they stand for."""
    if source.region_key == "code":
        return code_lookup(regions, valid, source.region_levels)
    return name_lookup(valid, aliases, source.region_levels)


def resolved(rows: pl.DataFrame, lookup: pl.DataFrame, region_key: str) -> pl.DataFrame:
    """The rows with `region_code` and `region_level`, null where the region is unknown or ambiguous.

    Also adds `candidates`, how many regions the text can mean; `candidate_labels`, `candidate_codes`, which they are.
    """
    key = name_key(pl.col("region")) if region_key == "name" else pl.col("region").str.strip_chars()
    matches = lookup.group_by("key").agg(
        pl.col("region_code").first(),
        pl.col("region_level").first(),
        pl.len().cast(pl.Int64).alias("candidates"),
        pl.col("label").sort().str.join(", ").alias("candidate_labels"),
        pl.col("region_code").sort().str.join(" ").alias("candidate_codes"),
    )
    certain = pl.col("candidates") == 1
    return (
        rows.with_columns(key.alias("_key"))
        .join(matches, left_on="_key", right_on="key", how="left", maintain_order="left")
        .with_columns(
            pl.when(certain).then("region_code").alias("region_code"),
            pl.when(certain).then("region_level").alias("region_level"),
            pl.col("candidates").fill_null(0),
        )
        .drop("_key")
    )


def nearest_labels(texts: Sequence[str], lookup: pl.DataFrame) -> dict[str, str]:
    """For texts that no region is known by: the nearest names, to say what may have been meant."""
    labels = dict(lookup.select("key", "label").iter_rows())
    keys = list(labels)
    frame = pl.DataFrame({"text": list(texts)}, schema={"text": pl.String}).unique()
    nearest = {}
    # Comparing is slow, and nobody reads thousands of suggestions.
    for text, key in frame.head(MOST_SUGGESTED).select("text", name_key(pl.col("text")).alias("key")).iter_rows():
        found = dict.fromkeys(labels[match] for match in difflib.get_close_matches(key, keys, n=3, cutoff=0.7))
        nearest[text] = ", ".join(found) or "-"
    return nearest
