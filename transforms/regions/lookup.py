"""From names and codes as offices write them to the regions valid for an edition. Nothing is ever guessed."""

from dataclasses import replace
from typing import NamedTuple

import polars as pl

from schemas.contract.violations import FINDING
from schemas.methodology.regions import Day, Reference, in_territory, level_key, lineage
from schemas.methodology.sources import Source
from transforms.regions.territories import ANOTHER_TIME, VALIDITY, validity

MOST_SUGGESTED = 1_000  # nobody reads more
NEAR = 70  # of 100, where 100 is the same text

KIND_IN_NAME = r"^(PROVINSI|KABUPATEN ADMINISTRASI|KOTA ADMINISTRASI|KABUPATEN|KOTA) "
# Names of these say their kind; a village may be called Kota.
SAYS_KIND = ("provinsi", "kabupaten", "kota")
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
CODED_BY_HAND = r"(?s)^(.*) \((.*)\)$"
DOTTED_CODE = r"^\s*[0-9]{2}(\.[0-9]{2}(\.[0-9]{2}(\.[0-9]{4})?)?)?\s*$"

NUMBERED_CODE = r"^(-?[0-9]+)\.0$"

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
    what, for sources that name regions by a path; `spellings`: how names are made alike; `reference`, `on` and
    `territory`: what it was made of, to look up the regions of other days. Both tables also say the `kind` of the
    region, and whether a key `is_bare`, without the word for it. `level_words`: the words of the source for levels
    (`key`, `level`, `kind`, null: any); `covered`: the codes of the regions of which figures are required.
    """

    known: pl.DataFrame
    names: pl.DataFrame
    lineage: pl.DataFrame
    spellings: pl.DataFrame
    level_words: pl.DataFrame
    covered: pl.Series
    reference: Reference
    on: Day
    territory: tuple[str | None, ...] | None = None


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


def whole_code(code: pl.Expr) -> pl.Expr:
    """A code without what programs that keep it as a number add to it: 1101.0 is 1101."""
    return code.str.strip_chars().str.replace(NUMBERED_CODE, "$1")


def code_key(code: pl.Expr) -> pl.Expr:
    """What a code is known by: a code of Kemendagri has its dots or not, and any may have been kept as a number."""
    bare = whole_code(code)
    return pl.when(code.str.contains(DOTTED_CODE)).then(bare.str.replace_all(".", "", literal=True)).otherwise(bare)


def names_of(reference: Reference, regions: pl.DataFrame) -> pl.DataFrame:
    """Every key by which regions are known by name: `key`, `code`, and whether it `is_bare`. With the word for its
    kind, before or after the name, and without (bare).
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
    says_kind = pl.col("kind").is_in(SAYS_KIND)
    kind = pl.col("kind").replace_strict(KIND_WORDS, default="", return_dtype=pl.String)
    named = pl.concat([regions.select("name", "kind", "code"), aliased.select("name", "kind", "code")])
    full = named.with_columns(spelled(pl.col("name"), reference.spellings).alias("full")).with_columns(
        pl.when(says_kind)
        .then(pl.coalesce(pl.col("full").str.extract(KIND_IN_NAME), kind))
        .otherwise(kind)
        .alias("word"),
        pl.when(says_kind).then(pl.col("full").str.replace(KIND_IN_NAME, "")).otherwise("full").alias("bare"),
    )
    bare, word = (pl.col(name).str.replace_all(" ", "", literal=True) for name in ("bare", "word"))
    plain_word = pl.col("word").str.replace(" ADMINISTRASI", "", literal=True)
    spoken = full.with_columns(bare.alias("bare"), word.alias("word"), plain_word.alias("plain")).select(
        "code", "bare", "word", "plain"
    )
    is_plain = pl.col("word") != pl.col("plain")
    worded = [
        spoken.filter(condition).select("code", key=pl.format("{}{}", *order), is_bare=pl.lit(False))
        for words, condition in (("word", pl.col("word") != ""), ("plain", is_plain))
        for order in ((words, "bare"), ("bare", words))
    ]
    keys = pl.concat([*worded, spoken.select("code", key="bare", is_bare=pl.lit(True))]).select(
        "key", "code", "is_bare"
    )
    return keys.unique(["key", "code"], keep="first", maintain_order=True)


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


def region_lookup(
    reference: Reference, source: Source, on: Day, territory: tuple[str | None, ...] | None = None
) -> Lookup:
    """What a source may call regions, for an edition whose regions are those of a day.

    `territory` is what the edition covers, None in it the country; without it no edition is given, and what counts
    is the country and wherever the source has regions of its own.
    """
    levels = {*source.region_levels, *(path_step.level for path_step in source.region_path)}
    valid = validity(reference, on, source.regions_date, source.region_key)
    regions = reference.regions.filter(pl.col("level").is_in(levels)).join(
        valid, on="code", how="semi", maintain_order="left"
    )
    dated_regions = reference.regions.select(
        "kind", region_code="code", region_level="level", label=label(pl.col("name"), pl.col("kind"), pl.col("code"))
    )
    elsewhere = {code for path_step in source.region_path for code in path_step.own_within}
    roots = (None, *sorted(elsewhere)) if territory is None else territory
    covered = pl.concat(in_territory(reference.regions, root)["code"] for root in roots).unique()
    shared = (reference.spellings, _level_words(reference, source), covered, reference, on, territory)

    def known(pairs: pl.DataFrame) -> pl.DataFrame:
        if "is_bare" not in pairs.columns:
            pairs = pairs.with_columns(pl.lit(False).alias("is_bare"))
        named = pairs.join(valid, on="code", maintain_order="left").with_columns(
            pl.coalesce("region_code", "code").alias("region_code")
        )
        known_names = (
            named.join(dated_regions, on="region_code", maintain_order="left")
            .select(*KNOWN)
            .unique(maintain_order=True)
        )
        if source.regions_date is None:
            return known_names
        # What was there on the day goes before what was so called on another.
        is_late = (pl.col("refused_by") == ANOTHER_TIME).fill_null(False)
        is_taken = pl.col("key").is_in(known_names.filter(~is_late)["key"].implode())
        return known_names.filter(~(is_late & is_taken))

    codes = None if source.region_key == "name" else known(codes_of(reference, regions, source.region_key))
    if codes is not None and not source.region_path:
        return Lookup(codes, codes.clear(), NO_LINEAGE, *shared)
    names = known(names_of(_named_on(reference, source.regions_date), regions))
    names = _with_former_names(names, reference, source, on)
    inside = _containment(reference, valid, source.regions_date) if source.region_path else NO_LINEAGE
    return Lookup(names if codes is None else codes, names, inside, *shared)


def label(name: pl.Expr, kind: pl.Expr, code: pl.Expr) -> pl.Expr:
    """A region as sentences name it: with its kind and its code."""
    return pl.format("{} ({})", with_kind(name, kind), code)


def with_kind(name: pl.Expr, kind: pl.Expr) -> pl.Expr:
    """A name with the word for its kind, where it does not say it."""
    word = kind.replace_strict(KIND_WORDS, default="", return_dtype=pl.String).str.to_titlecase()
    is_written = (word == "") | kind.is_in(SAYS_KIND[1:]) | name.str.starts_with(word)
    return pl.when(is_written).then(name).otherwise(pl.format("{} {}", word, name))


def _level_words(reference: Reference, source: Source) -> pl.DataFrame:
    """The words for levels, as in Lookup: the source's own before those that all know."""
    meant = reference.level_words.select(level_key(pl.col("word")).alias("key"), "level", "kind")
    own = pl.DataFrame(
        list(source.levels.items()), schema={"key": pl.String, "meant": pl.String}, orient="row"
    ).with_columns(level_key(pl.col("key")), level_key(pl.col("meant")))
    own = own.join(meant, left_on="meant", right_on="key").select("key", "level", "kind")
    return pl.concat([own, meant]).unique("key", keep="first", maintain_order=True)


KNOWN = (
    *("key", "is_bare", "code", "region_code", "region_level"),
    *("kind", "label", "refused", "refused_by", "codes"),
)
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
        shown = called.select(
            "code", "kind", region_level=pl.lit(level), label=label(*map(pl.col, ("name", "kind", "code")))
        )
        keys = names_of(replace(reference, aliases=reference.aliases.clear()), called).join(shown, on="code")
        if day is None:
            final = past.filter(pl.col("valid_to") == last)["valid_to"].dt.offset_by("-1d")[0]
            known_names = validity(reference.down_to(level), on, final).filter(code=code)
        else:
            time = f"{name} ({code}): {first or '...'} – {last or '...'}"
            known_names = pl.DataFrame([(code, None, time, ANOTHER_TIME, code)], schema=VALIDITY, orient="row")
        keys = keys.join(known_names, on="code").with_columns(pl.coalesce("region_code", "code").alias("region_code"))
        parts.append(keys.join(names, on="key", how="anti").select(names.columns))
    return pl.concat(parts).unique(maintain_order=True)


def _containment(reference: Reference, valid: pl.DataFrame, day: Day | None) -> pl.DataFrame:
    """What lies in what: in regions as the source calls them, and in those of the edition that they stand for. What
    lies in a part lies in the whole, on days before the whole was divided.
    """
    inside = lineage(reference.regions)
    moved = pl.col("region_code") != pl.col("code")
    today = valid.filter(moved).select(ancestor="code", now="region_code")
    known = [inside, inside.join(today, on="ancestor").select("code", ancestor="now")]
    if day is not None:
        undivided = reference.changes.filter((pl.col("date") > day) & (pl.col("from_code") != pl.col("to_code")))
        wholes = undivided.select(ancestor="to_code", whole="from_code").unique()
        step = inside
        while not (step := step.join(wholes, on="ancestor").select("code", ancestor="whole")).is_empty():
            known.append(step)
    return pl.concat(known)


def own_regions(candidates: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The regions of sources' own, once each, and findings about those that are reported in more than one way."""
    ordered = candidates.unique().sort("code", "name", "parent")
    known_names = pl.format("{} in {}", "name", "parent")
    twice = (
        ordered.group_by("code")
        .agg(known_names.str.join("; ").alias("observed"), known_names.first().alias("expected"), pl.len())
        .filter(pl.col("len") > 1)
    )
    findings = twice.select(pl.lit("own_region_differs").alias("check"), "observed", "expected", subject="code")
    return ordered.unique("code", keep="first", maintain_order=True), findings.select(FINDING.names()).cast(FINDING)


def nearest_labels(unknown: pl.DataFrame, lookup: Lookup) -> pl.DataFrame:
    """For what no region is known by (`unknown_part`, `unknown_level`, `unknown_in`): `nearest`, the labels of the
    nearest names that are possible there. Of equally near ones the first by label comes first.
    """
    from rapidfuzz import fuzz, process

    unknown_key = ["unknown_level", "unknown_in"]
    texts = unknown.select("unknown_part", *unknown_key).unique(maintain_order=True).head(MOST_SUGGESTED)
    texts = texts.with_columns(name_key(pl.col("unknown_part"), lookup.spellings).alias("key"))
    rows = []
    for (level, within), part in texts.group_by(unknown_key, maintain_order=True):
        known = lookup.known.filter(region_level=level) if level else lookup.known
        if within:
            inside = lookup.lineage.filter(pl.col("ancestor").is_in(str(within).split(" ")))
            known = known.join(inside, on="code", how="semi")
        # Of equal scores the matcher takes the key that comes first.
        known = known.select("label", "key").unique().sort("label", "key")
        keys, labels = known["key"].to_list(), known["label"].to_list()
        for text, key in part.select("unknown_part", "key").iter_rows():
            found = process.extract(key, keys, scorer=fuzz.ratio, limit=3 * KEYS_PER_NAME, score_cutoff=NEAR)
            near = ", ".join([*dict.fromkeys(labels[number] for _, _, number in found)][:3]) or "-"
            rows.append((text, level, within, near))
    return pl.DataFrame(rows, schema=dict.fromkeys(("unknown_part", *unknown_key, "nearest"), pl.String), orient="row")
