"""From names and codes as offices write them to the regions valid for an edition. Nothing is ever guessed."""

from dataclasses import replace
from typing import NamedTuple

import polars as pl

from schemas.regions import Day, Reference, lineage
from schemas.sources import Place, Source
from transforms.corrections import FINDING
from transforms.territories import ANOTHER_TIME, STANDING, standing

MOST_SUGGESTED = 1_000  # nobody reads more
NEAR = 70  # of 100, where 100 is the same text
# Between the places of a path; no keyboard writes it.
PATH = " › "

KIND_IN_NAME = r"^(PROVINSI|KABUPATEN ADMINISTRASI|KOTA ADMINISTRASI|KABUPATEN|KOTA) "
KIND_WORDS = {
    "provinsi": "PROVINSI",
    "kabupaten": "KABUPATEN",
    "kota": "KOTA",
    "kecamatan": "KECAMATAN",
    "desa": "DESA",
    "kelurahan": "KELURAHAN",
}
# How many keys a name has at most: with the words for its kind before, after, and without.
KEYS_PER_NAME = 5
# A place with its code, divided by a space that no cell keeps; people who write it themselves use a plain one.
WITH_CODE = "{}\u00a0({})"
CODED = r"(?s)^(.*)\x{00a0}\((.*)\)$"
CODED_BY_HAND = r"(?s)^(.*) \((.*)\)$"
DOTTED_CODE = r"^\s*[0-9]{2}(\.[0-9]{2}(\.[0-9]{2}(\.[0-9]{4})?)?)?\s*$"

# What is known of a text: the region it stands for, how many it can mean and which, or why it stands for none, by which
# rule; what of it is not known, and of a path at which level and in which region.
FOUND = {
    "region_code": pl.String,
    "region_level": pl.String,
    "candidates": pl.Int64,
    "candidate_labels": pl.String,
    "candidate_codes": pl.String,
    "refused": pl.String,
    "refused_by": pl.String,
    "unknown_part": pl.String,
    "unknown_level": pl.String,
    "unknown_in": pl.String,
}


OWN = dict.fromkeys(("code", "level", "name", "parent"), pl.String)


class Lookup(NamedTuple):
    """The texts that a source may name regions by, and the regions valid for an edition that they stand for.

    `known` and `names`: by the source's key and by name, each `key`, `code` (of what is named), `region_code`,
    `region_level`, `label`, `refused` and `refused_by` (why a figure of what is named cannot stand for a region of the
    edition, and by which rule, else null) and `codes` (the regions of the edition concerned); `lineage`: what lies in
    what, for sources that name regions by a path; `spellings`: how names are made alike; `reference` and `on`: what it
    was made of, to look up the regions of other days.
    """

    known: pl.DataFrame
    names: pl.DataFrame
    lineage: pl.DataFrame
    spellings: pl.DataFrame
    reference: Reference
    on: Day


def spelled(name: pl.Expr, spellings: pl.DataFrame) -> pl.Expr:
    """A name in capitals without accents and punctuation, what `spellings` declares written out."""
    key = name.str.normalize("NFKD").str.replace_all(r"\p{M}", "").str.to_uppercase()
    key = key.str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()
    for pattern, full in spellings.select("pattern", "replacement").iter_rows():
        key = key.str.replace(pattern, full)
    return key


def name_key(name: pl.Expr, spellings: pl.DataFrame) -> pl.Expr:
    """What a name is known by: as `spelled`, and without spaces, as people join and divide names at will."""
    return spelled(name, spellings).str.replace_all(" ", "")


def code_key(code: pl.Expr) -> pl.Expr:
    """What a code is known by: a code of Kemendagri has its dots or not."""
    bare = code.str.strip_chars()
    return pl.when(code.str.contains(DOTTED_CODE)).then(bare.str.replace_all(".", "", literal=True)).otherwise(bare)


def names_of(reference: Reference, regions: pl.DataFrame) -> pl.DataFrame:
    """Every key by which regions are known by name: `key`, `code`. With the word for its kind, before or after the
    name, and without.
    """
    same = regions.select("code", "code_2020", "kind")
    aliased = (
        reference.aliases.select("code", name="alias")
        .join(same, on="code")
        .select("name", "code_2020", "code")
        .join(same.select("kind", "code_2020", twin="code"), on="code_2020", how="left")
        .select("name", "kind", code=pl.coalesce("twin", "code"))
        .unique()
    )
    # Names of regencies say their kind; a village may be called Kota.
    says_kind = pl.col("kind").is_in(["provinsi", "kabupaten", "kota"])
    kind = pl.col("kind").replace_strict(KIND_WORDS, default="", return_dtype=pl.String)
    named = pl.concat([regions.select("name", "kind", "code"), aliased.select("name", "kind", "code")])
    full = named.with_columns(spelled(pl.col("name"), reference.spellings).alias("full")).with_columns(
        pl.when(says_kind)
        .then(pl.coalesce(pl.col("full").str.extract(KIND_IN_NAME), kind))
        .otherwise(kind)
        .alias("word"),
        pl.when(says_kind).then(pl.col("full").str.replace(KIND_IN_NAME, "")).otherwise("full").alias("bare"),
    )
    plain_word = pl.col("word").str.replace(" ADMINISTRASI", "")
    words = (pl.col("word"), plain_word)
    keys = [
        pl.col("bare"),
        *(pl.format("{}{}", word, "bare") for word in words),
        *(pl.format("{}{}", "bare", word) for word in words),
    ]
    return (
        full.with_columns(pl.concat_list(keys).alias("key"))
        .explode("key")
        .select(pl.col("key").str.replace_all(" ", ""), "code")
        .unique(maintain_order=True)
    )


def codes_of(reference: Reference, regions: pl.DataFrame, key: str) -> pl.DataFrame:
    """Every key by which regions are known in a system of codes: `key`, `code`."""
    if key == "code":
        pairs = regions.select(code_key(pl.col("code")).alias("key"), "code")
    elif key == "bps":
        pairs = regions.drop_nulls("code_bps").select(code_key(pl.col("code_bps")).alias("key"), "code")
    else:
        mapped = reference.codes.filter(system=key).select(code_key(pl.col("code")).alias("key"), code="region_code")
        pairs = mapped.join(regions, on="code", how="semi")
    return pairs.unique(maintain_order=True)


def region_lookup(reference: Reference, source: Source, on: Day) -> Lookup:
    """What a source may call regions, for an edition whose regions are those of a day."""
    levels = {*source.region_levels, *(place.level for place in source.region_path)}
    stand = standing(reference, on, source.regions_date, source.region_key)
    regions = reference.regions.filter(pl.col("level").is_in(levels)).join(
        stand, on="code", how="semi", maintain_order="left"
    )
    places = reference.regions.select(
        region_code="code", region_level="level", label=pl.format("{} ({})", "name", "code")
    )

    def known(pairs: pl.DataFrame) -> pl.DataFrame:
        named = pairs.join(stand, on="code", maintain_order="left").with_columns(
            pl.coalesce("region_code", "code").alias("region_code")
        )
        told = (
            named.join(places, on="region_code", maintain_order="left")
            .select("key", "code", "region_code", "region_level", "label", "refused", "refused_by", "codes")
            .unique(maintain_order=True)
        )
        if source.regions_date is None:
            return told
        # What was there on the day goes before what was so called on another.
        is_late = (pl.col("refused_by") == ANOTHER_TIME).fill_null(False)
        is_taken = pl.col("key").is_in(told.filter(~is_late)["key"].implode())
        return told.filter(~(is_late & is_taken))

    codes = None if source.region_key == "name" else known(codes_of(reference, regions, source.region_key))
    if codes is not None and not source.region_path:
        return Lookup(codes, codes.clear(), NO_LINEAGE, reference.spellings, reference, on)
    names = known(names_of(_named_on(reference, source.regions_date), regions))
    names = _with_former_names(names, reference, source, on)
    inside = _containment(reference, stand, source.regions_date) if source.region_path else NO_LINEAGE
    return Lookup(names if codes is None else codes, names, inside, reference.spellings, reference, on)


NO_LINEAGE = pl.DataFrame(schema={"code": pl.String, "ancestor": pl.String})


def _named_on(reference: Reference, day: Day | None) -> Reference:
    """The reference with the names that were in use on a day; without one, with those still in use."""
    since, until = pl.col("valid_from"), pl.col("valid_to")
    is_used = until.is_null()
    if day is not None:
        is_used = (since.is_null() | (since <= day)) & (until.is_null() | (until > day))
    return replace(reference, aliases=reference.aliases.filter(is_used))


def _with_former_names(names: pl.DataFrame, reference: Reference, source: Source, on: Day) -> pl.DataFrame:
    """The names with those of another time: on a day that is known they are refused with the time they belong to. Where
    none is, a name that is not in use any more stands for what it meant on its last day.
    """
    day = source.regions_date
    since, until = pl.col("valid_from"), pl.col("valid_to")
    aliases = reference.aliases.select("code", "alias", "note", since, until)
    held = reference.regions.filter(pl.col("level").is_in(source.region_levels))
    ended = held.filter(until.is_not_null() & pl.col("code_2020").is_null()).select("code", "name", since, until)
    if day is None:
        past = pl.concat(
            [aliases.select("code", since, until, name="alias"), ended.select("code", since, until, "name")]
        )
        past = past.filter(until.is_not_null())
    else:
        is_used = (since.is_null() | (since <= day)) & (until.is_null() | (until > day))
        past = aliases.filter(~is_used).select("code", since, until, name="alias")
    past = past.join(held.select("code", "level", "kind", "code_2020"), on="code")
    parts = [names]
    for code, first, last, name, level, kind, twin in past.iter_rows():
        called = pl.DataFrame({"code": [code], "name": [name], "kind": [kind], "code_2020": [twin]})
        keys = names_of(replace(reference, aliases=reference.aliases.clear()), called).with_columns(
            pl.lit(level).alias("region_level"), pl.format("{} ({})", pl.lit(name), "code").alias("label")
        )
        if day is None:
            final = past.filter(pl.col("valid_to") == last)["valid_to"].dt.offset_by("-1d")[0]
            told = standing(reference.down_to(level), on, final).filter(code=code)
        else:
            time = f"{name} ({code}): {first or '...'} – {last or '...'}"
            told = pl.DataFrame([(code, None, time, ANOTHER_TIME, code)], schema=STANDING, orient="row")
        keys = keys.join(told, on="code").with_columns(pl.coalesce("region_code", "code").alias("region_code"))
        parts.append(keys.join(names, on="key", how="anti").select(names.columns))
    return pl.concat(parts).unique(maintain_order=True)


def _containment(reference: Reference, stand: pl.DataFrame, day: Day | None) -> pl.DataFrame:
    """What lies in what: in regions as the source calls them, and in those of the edition that they stand for. What
    lies in a part lies in the whole, on days before the whole was divided.
    """
    inside = lineage(reference.regions)
    today = stand.select(ancestor="code", now="region_code").drop_nulls()
    known = [inside, inside.join(today, on="ancestor").select("code", ancestor="now")]
    if day is not None:
        undivided = reference.changes.filter((pl.col("date") > day) & (pl.col("from_code") != pl.col("to_code")))
        wholes = undivided.select(ancestor="to_code", whole="from_code").unique()
        step = inside
        while not (step := step.join(wholes, on="ancestor").select("code", ancestor="whole")).is_empty():
            known.append(step)
    return pl.concat(known).unique()


def resolved(rows: pl.DataFrame, lookup: Lookup, source: Source) -> pl.DataFrame:
    """The rows with `region_code` and `region_level`, null where the region is unknown, ambiguous or refused.

    Also adds the other columns of FOUND: `candidates`, how many regions the text can mean; `candidate_labels`,
    `candidate_codes`, which they are; `refused`, why a region that is known cannot be taken; `unknown_part`.
    """
    texts = rows.select("region").drop_nulls().unique(maintain_order=True)
    if source.region_path:
        found = along_path(texts, lookup, source).found
    else:
        text = pl.col("region")
        key = name_key(text, lookup.spellings) if source.region_key == "name" else code_key(text)
        keyed = texts.with_columns(key.alias("key"), text.alias("part"))
        found = _matched(keyed, lookup.known, ["key"])
    return rows.join(found.select("region", *FOUND), on="region", how="left", maintain_order="left").with_columns(
        pl.col("candidates").fill_null(0)
    )


def _matched(texts: pl.DataFrame, known: pl.DataFrame, on: list[str]) -> pl.DataFrame:
    """The texts with what is known of them, and `met`, the code of the one region that was met, refused or not; `known`
    is looked up by the columns `on`.
    """
    matches = (
        known.select(*on, "region_code", "region_level", "label", "refused", "refused_by", "codes")
        .unique()
        .group_by(on)
        .agg(
            pl.col("region_code").first(),
            pl.col("region_level").first(),
            pl.len().cast(pl.Int64).alias("candidates"),
            pl.col("label").sort().str.join(", ").alias("candidate_labels"),
            pl.col("codes").sort().str.join(" ").alias("candidate_codes"),
            pl.col("refused").first(),
            pl.col("refused_by").first(),
        )
    )
    is_one, is_refused = pl.col("candidates") == 1, pl.col("refused").is_not_null()
    is_unknown = pl.col("candidates").is_null()
    return texts.join(matches, on=on, how="left", maintain_order="left").with_columns(
        pl.when(is_one).then("region_code").alias("met"),
        *(pl.when(is_one & ~is_refused).then(name).alias(name) for name in ("region_code", "region_level")),
        pl.when(is_one).then("refused").alias("refused"),
        pl.when(is_one & is_refused).then("refused_by").alias("refused_by"),
        pl.col("candidates").fill_null(0),
        pl.when(is_unknown).then("part").alias("unknown_part"),
        pl.lit(None, pl.String).alias("unknown_level"),
        pl.lit(None, pl.String).alias("unknown_in"),
    )


class Paths(NamedTuple):
    """What paths stand for: `found` (`region` and what is known of it) and `own`, the regions of the source's own
    (`code`, `level`, `name`, `parent`).
    """

    found: pl.DataFrame
    own: pl.DataFrame


def along_path(texts: pl.DataFrame, lookup: Lookup, source: Source) -> Paths:
    """Resolve paths, place by place: each is looked for within the one before it.

    Where a place has code and name, the code decides and the name must be one of the region's. A code that is not known
    is a region of the source's own where the source declares it; its code begins with the name of the system. One code
    at two levels names nothing: neither it nor what lies in it is taken.
    """
    depth = len(source.region_path)
    parts = pl.col("region").str.split(PATH)
    state = texts.select("region").with_columns(
        *(parts.list.get(place, null_on_oob=True).alias(f"part{place}") for place in range(depth)),
        pl.lit(None, pl.String).alias("above"),
        *(pl.lit(None, dtype).alias(name) for name, dtype in FOUND.items()),
    )
    own: list[pl.DataFrame] = []
    stopped: list[pl.DataFrame] = []
    for index, place in enumerate(source.region_path):
        reached = [f"part{each}" for each in range(index + 1)]
        step = state.select(*reached, "above").unique(maintain_order=True)
        told = _placed(step.with_columns(pl.col(f"part{index}").alias("part")), place, lookup, source)
        own.append(
            told.filter("is_own").select(code="region_code", level=pl.lit(place.level), name="name", parent="above")
        )
        reached_now = state.drop("above", *FOUND).join(
            told.select(*reached, "met", *FOUND), on=reached, how="left", nulls_equal=True, maintain_order="left"
        )
        # A region that was divided since stands for none of today, but what lies in it may.
        is_passed = (pl.col("refused_by") == "divided_region").fill_null(False) & (index < depth - 1)
        is_lost = pl.col("region_code").is_null() & ~is_passed
        stopped.append(reached_now.filter(is_lost).select("region", *FOUND))
        state = reached_now.filter(~is_lost).rename({"met": "above"})
    found = pl.concat([state.select("region", *FOUND), *stopped])
    brought = pl.concat([pl.DataFrame(schema=OWN), *own]).unique(maintain_order=True)
    twofold = brought.filter(pl.col("level").n_unique().over("code") > 1)
    for _ in source.region_path:
        is_in = (pl.col(each).is_in(twofold["code"].implode()) for each in ("code", "parent"))
        twofold = brought.filter(pl.any_horizontal(is_in))
    is_twofold = pl.col("region_code").is_in(twofold["code"].implode()).fill_null(False)
    found = found.with_columns(
        pl.when(is_twofold).then("region_code").otherwise("refused").alias("refused"),
        pl.when(is_twofold).then(pl.lit("code_at_two_levels")).otherwise("refused_by").alias("refused_by"),
        *(pl.when(~is_twofold).then(name).alias(name) for name in ("region_code", "region_level")),
    )
    return Paths(found, brought.join(twofold, on=[*OWN], how="anti", nulls_equal=True))


def _placed(step: pl.DataFrame, place: Place, lookup: Lookup, source: Source) -> pl.DataFrame:
    """The places of one step with what is known of them, and whether they are regions of the source's own."""
    both = place.code is not None and place.name is not None
    part = pl.col("part")
    step = step.with_columns(
        *(
            (
                pl.coalesce(part.str.extract(CODED, group), part.str.extract(CODED_BY_HAND, group)) if both else part
            ).alias(name)
            for group, name in ((1, "name"), (2, "code"))
        )
    )
    by_name = name_key(pl.col("name"), lookup.spellings)
    key = by_name if source.region_key == "name" else code_key(pl.col("code"))
    step = step.with_columns(key.alias("key"), by_name.alias("name_key"))
    known = lookup.known.filter(region_level=place.level)
    inside = known.join(lookup.lineage.select("code", above="ancestor"), on="code")
    told = pl.concat(
        [
            _matched(step.filter(pl.col("above").is_null()), known, ["key"]),
            _matched(step.filter(pl.col("above").is_not_null()), inside, ["key", "above"]),
        ]
    )
    if both and source.region_key != "name":
        names = lookup.names.select("region_code", name_key="key", is_named=pl.lit(True)).unique()
        told = told.join(names, on=["region_code", "name_key"], how="left", maintain_order="left")
        differs = pl.col("region_code").is_not_null() & pl.col("is_named").is_null()
        told = told.with_columns(
            pl.when(differs).then("candidate_labels").otherwise("refused").alias("refused"),
            pl.when(differs).then(pl.lit("code_and_name_differ")).otherwise("refused_by").alias("refused_by"),
            *(pl.when(~differs).then(name).alias(name) for name in ("region_code", "region_level")),
        )
    system = f"{source.region_key}:"
    within = lookup.lineage.filter(pl.col("ancestor").is_in(place.own_within))["code"]
    is_inside = pl.col("above").is_in(within.implode()) | pl.col("above").str.starts_with(system)
    is_own = (pl.col("candidates") == 0) & pl.col("code").is_not_null() & is_inside & bool(place.own_within)
    own_code = pl.format("{}{}", pl.lit(system), "code")
    return told.with_columns(is_own.fill_null(False).alias("is_own")).with_columns(
        pl.when("is_own").then(own_code).otherwise("region_code").alias("region_code"),
        pl.when("is_own").then(pl.lit(place.level)).otherwise("region_level").alias("region_level"),
        pl.when("is_own").then(1).otherwise("candidates").alias("candidates"),
        pl.when("is_own").then("part").otherwise("candidate_labels").alias("candidate_labels"),
        pl.when("is_own").then(own_code).otherwise("candidate_codes").alias("candidate_codes"),
        pl.when("is_own").then(own_code).otherwise("met").alias("met"),
        pl.when(~pl.col("is_own")).then("unknown_part").alias("unknown_part"),
        pl.when(~pl.col("is_own") & (pl.col("candidates") == 0)).then(pl.lit(place.level)).alias("unknown_level"),
        pl.when(~pl.col("is_own") & (pl.col("candidates") == 0)).then("above").alias("unknown_in"),
    )


def own_regions(seen: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The regions of sources' own, once each, and findings about those that are told in more than one way."""
    ordered = seen.unique().sort("code", "name", "parent")
    told = pl.format("{} in {}", "name", "parent")
    twice = (
        ordered.group_by("code")
        .agg(told.str.join("; ").alias("observed"), told.first().alias("expected"), pl.len())
        .filter(pl.col("len") > 1)
    )
    findings = twice.select(pl.lit("own_region_differs").alias("check"), "observed", "expected", subject="code")
    return ordered.unique("code", keep="first", maintain_order=True), findings.select(FINDING.names()).cast(FINDING)


def nearest_labels(unknown: pl.DataFrame, lookup: Lookup) -> pl.DataFrame:
    """For what no region is known by (`unknown_part`, `unknown_level`, `unknown_in`): `nearest`, the nearest names that
    could stand there, to say what may have been meant.
    """
    from rapidfuzz import fuzz, process

    place = ["unknown_level", "unknown_in"]
    texts = unknown.select("unknown_part", *place).unique(maintain_order=True).head(MOST_SUGGESTED)
    texts = texts.with_columns(name_key(pl.col("unknown_part"), lookup.spellings).alias("key"))
    rows = []
    for (level, within), part in texts.group_by(place, maintain_order=True):
        known = lookup.known.filter(region_level=level) if level else lookup.known
        if within:
            known = known.join(lookup.lineage.filter(ancestor=within), on="code", how="semi")
        labels = dict(known.select("key", "label").iter_rows())
        keys = list(labels)
        for text, key in part.select("unknown_part", "key").iter_rows():
            found = process.extract(key, keys, scorer=fuzz.ratio, limit=3 * KEYS_PER_NAME, score_cutoff=NEAR)
            near = ", ".join([*dict.fromkeys(labels[match] for match, _, _ in found)][:3]) or "-"
            rows.append((text, level, within, near))
    return pl.DataFrame(rows, schema=dict.fromkeys(("unknown_part", *place, "nearest"), pl.String), orient="row")
