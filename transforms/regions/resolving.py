"""From what rows say of their region to the region they are about: by its name or code, its level, and its extract."""

from typing import NamedTuple

import polars as pl

from schemas.methodology.regions import level_key
from schemas.methodology.sources import Source
from transforms.regions.lookup import FOUND, OWN, Lookup, code_key, name_key, with_kind
from transforms.regions.paths import MEANING, REFUSED, UNKNOWN, Walk, along_path, declared

CITY = "kota"


class Resolved(NamedTuple):
    """The rows with what is known of their region (the columns of FOUND), and the regions of the source's own that they
    are about or lie in (those of OWN).
    """

    rows: pl.DataFrame
    own: pl.DataFrame


def resolved(rows: pl.DataFrame, lookup: Lookup, source: Source) -> Resolved:
    """The rows with `region_code` and `region_level`, null where the region is unknown, ambiguous or refused.

    Also adds the other columns of FOUND: `candidates`, how many regions the text can mean; `candidate_labels`,
    `candidate_codes`, which they are; `refused`, why a region that is known cannot be taken; `unknown_part`. What a
    text leaves open is resolved by the level that the row states, by what the source declares of names without the word
    for their kind, and in a path by the steps below and by what else its extract names; never by other extracts.
    """
    keys = ["region", *(["level"] if source.columns.level and "level" in rows.columns else [])]
    questions = rows.select(keys).drop_nulls("region").unique(maintain_order=True)
    walk = _meanings(questions.select("region").unique(maintain_order=True), lookup, source)
    meant = questions.join(walk.meanings, on="region", maintain_order="left")
    if "level" in keys:
        meant = _of_level(meant, lookup)
    meant = declared(meant, lookup, source, keys)
    resolution = _resolution(meant, keys, lookup)
    answers = questions.join(resolution, on=keys, how="left", nulls_equal=True).join(
        walk.unknown.select("region", *UNKNOWN, *REFUSED), on="region", how="left", suffix="_unknown"
    )
    answers = answers.with_columns(pl.coalesce(name, f"{name}_unknown").alias(name) for name in REFUSED).select(
        *keys, *FOUND
    )
    found = rows.join(answers, on=keys, how="left", nulls_equal=True, maintain_order="left").with_columns(
        pl.col("candidates").fill_null(0)
    )
    if source.region_path and "extract_sha256" in rows.columns:
        by_sibling = _by_siblings(found.select("extract_sha256", *keys).unique(), meant, walk, keys, lookup)
        if not by_sibling.is_empty():
            found = _replaced(found, by_sibling, ["extract_sha256", *keys])
    return Resolved(found, walk.own)


def _meanings(texts: pl.DataFrame, lookup: Lookup, source: Source) -> Walk:
    """What texts can mean; one region is a path of one step that lies nowhere."""
    if source.region_path:
        return along_path(texts, lookup, source)
    text = pl.col("region")
    key = name_key(text, lookup.spellings) if source.region_key == "name" else code_key(text)
    keyed = texts.with_columns(key.alias("key"))
    meanings = keyed.join(lookup.known.select("key", *MEANING).unique(), on="key").drop("key")
    unknown = texts.join(meanings, on="region", how="anti").select(
        "region",
        unknown_part="region",
        **dict.fromkeys(("unknown_level", "unknown_in", *REFUSED), pl.lit(None, pl.String)),
    )
    return Walk(meanings.with_columns(is_whole=pl.lit(True)), unknown, pl.DataFrame(schema=OWN), texts, ())


def _of_level(meant: pl.DataFrame, lookup: Lookup) -> pl.DataFrame:
    """The meanings that are of the level that the row states; where none is, all of them, refused for that."""
    words = lookup.level_words.rename({"key": "_key", "level": "_level", "kind": "_kind"})
    stated = meant.with_columns(_key=level_key(pl.col("level"))).join(words, on="_key", how="left")
    is_kind = pl.col("_kind").is_null() | pl.col("kind").eq_missing(pl.col("_kind"))
    is_of = (pl.col("_level").is_null() | ((pl.col("region_level") == pl.col("_level")) & is_kind)).fill_null(False)
    by = ["region", "level"]
    stated = stated.with_columns(_is_of=is_of | ~pl.col("is_whole")).with_columns(
        _any=pl.col("_is_of").any().over(by), _all=pl.col("label").sort().str.join(", ").over(by)
    )
    differs = ~pl.col("_any")
    kept = stated.filter(pl.col("_is_of") | differs).with_columns(
        pl.when(differs).then("_all").otherwise("refused").alias("refused"),
        pl.when(differs).then(pl.lit("level_and_name_differ")).otherwise("refused_by").alias("refused_by"),
    )
    return kept.drop("_key", "_level", "_kind", "_is_of", "_any", "_all")


def _resolution(meant: pl.DataFrame, by: list[str], lookup: Lookup) -> pl.DataFrame:
    """What is known of texts by what they can mean: the columns `by` and those of FOUND but UNKNOWN."""
    met_columns = [name for name in meant.columns if name.startswith("met")]
    resolution = meant.select(*by, *MEANING, *met_columns).unique(
        [*by, "region_code", "label", "refused", "codes"], keep="any"
    )
    alone = resolution.filter(pl.len().over(by) == 1)
    many = _with_nearest_step(resolution.join(alone, on=by, how="anti", nulls_equal=True), by, met_columns, lookup)
    differs = pl.col("refused_by") == "level_and_name_differ"
    grouped = many.group_by(by).agg(
        pl.len().cast(pl.Int64).alias("candidates"),
        pl.col("label").sort().str.join(", ").alias("candidate_labels"),
        pl.col("codes").sort().str.join(" ").alias("candidate_codes"),
        *(pl.col(name).filter(differs).first().alias(name) for name in ("refused", "refused_by")),
    )
    is_taken = pl.col("refused").is_null()
    nothing = pl.lit(None, pl.String)
    one = alone.with_columns(
        *(pl.when(is_taken).then(name).alias(name) for name in ("region_code", "region_level")),
        candidates=pl.lit(1, pl.Int64),
        candidate_labels="label",
        candidate_codes="codes",
    )
    return pl.concat(
        each.with_columns(
            **{name: nothing for name in ("region_code", "region_level") if name not in each.columns}
        ).select(*by, *(name for name in FOUND if name not in UNKNOWN))
        for each in (one, grouped)
    )


def _with_nearest_step(many: pl.DataFrame, by: list[str], met_columns: list[str], lookup: Lookup) -> pl.DataFrame:
    """Meanings whose labels say where they lie, where a text has some in more than one region."""
    if len(met_columns) < 2:
        return many
    named = lookup.reference.regions.select(
        with_kind(pl.col("name"), pl.col("kind")).alias("_region"), pl.col("code").alias(met_columns[-2])
    )
    is_apart = pl.col("_region").n_unique().over(by) > 1
    return many.join(named, on=met_columns[-2], how="left").with_columns(
        pl.when(is_apart & pl.col("_region").is_not_null())
        .then(pl.format("{} > {}", "_region", "label"))
        .otherwise("label")
        .alias("label")
    )


def _by_siblings(keys: pl.DataFrame, meant: pl.DataFrame, walk: Walk, by: list[str], lookup: Lookup) -> pl.DataFrame:
    """What an extract resolves that names a city with its word: the same name without is then not that city, unless the
    steps below say in another row that it is. `extract_sha256`, the columns `by` and those of FOUND.
    """
    several = (pl.col("region_code").n_unique() > 1).over(by)
    is_open = several & pl.col("is_whole") & pl.col("refused").is_null()
    opened = meant.filter(is_open)
    if opened.is_empty():
        return opened
    here = keys.join(opened.select(by).unique(), on=by, how="semi", nulls_equal=True).select("extract_sha256").unique()
    rows = keys.join(here, on="extract_sha256", how="semi").join(walk.nodes, on="region")
    left = keys.join(opened, on=by, nulls_equal=True)
    for index, path_step in enumerate(walk.by_step):
        node, met = f"node{index}", f"met{index}"
        count = pl.col("met").n_unique().over("node")
        bare = path_step.filter((count > 1) & pl.col("is_bare").all().over("node")).select(pl.col("node").alias(node))
        bare = bare.unique()
        cities = path_step.filter((count == 1) & (pl.col("kind") == CITY) & ~pl.col("is_bare"))
        cities = cities.select(pl.col("node").alias(node), pl.col("met").alias(met))
        named = rows.select("extract_sha256", node).unique().join(cities, on=node).select("extract_sha256", met)
        certain = meant.filter(~several & pl.col("refused").is_null() & pl.col("is_whole"))
        certain = rows.join(bare, on=node, how="semi").join(certain.select(*by, met), on=by, nulls_equal=True)
        named = named.join(certain, on=["extract_sha256", met], how="anti").unique()
        through = (
            left.select("extract_sha256", "region", met).unique().join(walk.nodes.select("region", node), on="region")
        )
        through = through.join(bare, on=node, how="semi")
        through = through.join(named, on=["extract_sha256", met], how="semi")
        left = left.join(through, on=["extract_sha256", "region", met], how="anti")
    scope = ["extract_sha256", *by]
    left = left.filter(pl.col("region_code").n_unique().over(scope) == 1)
    return _resolution(left, scope, lookup)


def _replaced(found: pl.DataFrame, by_sibling: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """The rows with what is resolved of them instead of what was found."""
    names = [name for name in FOUND if name not in UNKNOWN]
    joined = found.join(
        by_sibling.with_columns(_is_resolved=pl.lit(True)),
        on=by,
        how="left",
        nulls_equal=True,
        maintain_order="left",
        suffix="_resolved",
    )
    is_resolved = pl.col("_is_resolved").fill_null(False)
    return joined.with_columns(
        pl.when(is_resolved).then(f"{name}_resolved").otherwise(name).alias(name) for name in names
    ).select(found.columns)
