"""Paths of regions, from the province down, and the regions that they can stand for. Nothing is ever guessed."""

from typing import NamedTuple

import polars as pl

from schemas.methodology.regions import in_territory, level_key
from schemas.methodology.sources import PathStep, Source
from transforms.regions.lookup import CODED_BY_HAND, OWN, Lookup, code_key, name_key, whole_code
from transforms.regions.written import MARK, PATH

# What a text can stand for, one row per region: `is_whole` says that the text was read to its end.
MEANING = ("region_code", "region_level", "kind", "is_bare", "label", "refused", "refused_by", "codes")
# Why a text stands for nothing that is known.
UNKNOWN = ("unknown_part", "unknown_level", "unknown_in")
REFUSED = ("refused", "refused_by", "candidate_codes")
# A region of the source's own that is called by its name.
BY_NAME = "name:"
# What lies in a region that was divided since may be a region of today.
PASSED = "divided_region"


class Walk(NamedTuple):
    """What paths can mean.

    `meanings`: `region` (the path), the columns of MEANING, `is_whole`, and for each step the region that it is then
    (`met0` ...); `unknown`: paths that mean nothing, with those of UNKNOWN and REFUSED; `own`: the
    regions of the source's own (the columns of OWN); `nodes`: each path with the numbers of its steps, as far as they
    are known (`node0` ...), and `by_step`: for each of the steps, what it can be (`node`, `met`, `kind`, `is_bare`).
    """

    meanings: pl.DataFrame
    unknown: pl.DataFrame
    own: pl.DataFrame
    nodes: pl.DataFrame
    by_step: tuple[pl.DataFrame, ...]


def along_path(texts: pl.DataFrame, lookup: Lookup, source: Source) -> Walk:
    """What paths can mean: every step is looked for within all that the one before it can be, so that the steps below
    resolve what a step alone does not.

    Where a step has code and name, the code decides and the name must be one of the region's. A code that is not known
    is a region of the source's own where the source declares it; its code begins with the name of the system. One code
    at two levels names nothing: neither it nor what lies in it is taken.
    """
    depth = len(source.region_path)
    parts = pl.col("region").str.split(PATH)
    state = texts.select("region").with_columns(
        *(parts.list.get(path_step, null_on_oob=True).alias(f"part{path_step}") for path_step in range(depth)),
        node=pl.lit(0, pl.UInt32),
    )
    reached = pl.DataFrame({"node": [0]}, schema={"node": pl.UInt32}).with_columns(above=pl.lit(None, pl.String))
    by_step, own, ended, unknown, nodes = [], [pl.DataFrame(schema=OWN)], [], [], []
    for index, path_step in enumerate(source.region_path):
        step = state.select("node", part=f"part{index}").unique(maintain_order=True)
        step = step.with_row_index("next").select("next", "node", "part")
        state = state.join(step, left_on=["node", f"part{index}"], right_on=["node", "part"], nulls_equal=True).rename(
            {"node": f"before{index}", "next": "node"}
        )
        state = state.with_columns(pl.col("node").alias(f"node{index}")).drop(f"before{index}")
        met, unmatched, brought = _step(
            step.rename({"next": "node", "node": "from"}), reached, path_step, lookup, source
        )
        own.append(brought)
        is_last = index == depth - 1
        met = met.with_columns(pl.col("region_code").alias(f"met{index}"))
        if not is_last:
            met = declared(met, lookup, source, ["node"])
        by_step.append(met.select("node", "kind", "is_bare", met="region_code"))
        is_passed = pl.col("refused_by").is_null() | ((pl.col("refused_by") == PASSED) & (not is_last))
        passed = met.filter(is_passed)
        stopped = met.join(passed, on="node", how="anti") if not is_last else met.clear()
        here = state.select("region", "node")
        ended.append(here.join(stopped, on="node").with_columns(is_whole=pl.lit(False)))
        unknown.append(here.join(unmatched, on="node").drop("node"))
        reached = (met if is_last else passed).with_columns(above="region_code")
        nodes.append(state.join(reached, on="node", how="anti"))
        state = state.join(reached, on="node", how="semi")
    whole = state.select("region", "node").join(reached, on="node").with_columns(is_whole=pl.lit(True))
    met_columns = [f"met{index}" for index in range(depth)]
    meanings = pl.concat([whole, *ended], how="diagonal").select("region", *MEANING, *met_columns, "is_whole")
    meanings, kept = _without_twofold(meanings, pl.concat(own).unique(), depth)
    passed_by = pl.concat([*nodes, state], how="diagonal").select("region", *(f"node{each}" for each in range(depth)))
    return Walk(meanings, pl.concat(unknown), kept, passed_by, tuple(by_step))


def declared(met: pl.DataFrame, lookup: Lookup, source: Source, by: list[str]) -> pl.DataFrame:
    """The meanings without those that a name without the word for its kind does not have, as the source declares; where
    several remain, or none, all of them.
    """
    if source.bare_name is None or met.is_empty():
        return met
    level, kind = bare_meaning(lookup, source)
    is_meant = pl.col("region_level") == level
    if kind is not None:
        is_meant &= pl.col("kind").eq_missing(pl.lit(kind))
    codes = pl.col("region_code")
    is_resolved = (pl.col("is_bare").all() & (codes.n_unique() > 1) & (codes.filter(is_meant).n_unique() == 1)).over(by)
    return met.filter(~is_resolved | is_meant)


def bare_meaning(lookup: Lookup, source: Source) -> tuple[str, str | None]:
    """The level and the kind (None: any) that a bare name means to a source that declares it."""
    key = pl.select(level_key(pl.lit(source.bare_name))).item()
    level, kind = lookup.level_words.filter(key=key).select("level", "kind").row(0)
    return level, kind


def _step(
    step: pl.DataFrame, reached: pl.DataFrame, path_step: PathStep, lookup: Lookup, source: Source
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """What the texts of one step can be (`node`, the columns of MEANING, what was met before), those that are unknown
    (`node`, the columns of UNKNOWN and REFUSED), and the regions of the source's own among them.
    """
    requested = step.join(_keyed(step.select("part").unique(), path_step, lookup, source), on="part", nulls_equal=True)
    requested = requested.join(reached.drop(*MEANING, strict=False), left_on="from", right_on="node", how="left")
    known = lookup.known.filter(region_level=path_step.level).join(
        requested.select("key").unique(), on="key", how="semi"
    )
    names = lookup.names.filter(region_level=path_step.level)
    if "met0" in reached.columns:
        # By names also what is written without its code, as regions overseas are.
        inside = lookup.lineage.join(requested.select(ancestor="above").unique(), on="ancestor", how="semi")
        known = known.join(inside.select("code", above="ancestor"), on="code")
        met = requested.join(known.select("key", "above", *MEANING), on=["key", "above"])
    else:
        if source.region_key != "name":
            uncoded = names.join(requested.filter(pl.col("key").is_null()).select(key="name_key"), on="key", how="semi")
            uncoded = uncoded.filter(~pl.col("region_code").is_in(_country(lookup)))
            met = pl.concat(
                [
                    requested.join(known.select("key", *MEANING), on="key"),
                    requested.filter(pl.col("key").is_null()).join(
                        uncoded.select("key", *MEANING), left_on="name_key", right_on="key"
                    ),
                ]
            )
        else:
            met = requested.join(known.select("key", *MEANING), on="key")
    if path_step.code and path_step.name and source.region_key != "name":
        met = _with_its_name(met, lookup)
    unmet = requested.join(met, on="node", how="anti")
    named_own = _own(unmet, names, path_step, lookup, source)
    own = named_own.filter("is_own")
    brought = own.select(code="own_code", level=pl.lit(path_step.level), name="name", parent="above")
    made = own.with_columns(
        region_code="own_code",
        region_level=pl.lit(path_step.level),
        kind=pl.lit(None, pl.String),
        is_bare=pl.lit(False),
        label="part",
        refused=pl.lit(None, pl.String),
        refused_by=pl.lit(None, pl.String),
        codes="own_code",
    )
    is_coded = pl.lit(bool(path_step.code and path_step.name))
    unmatched = (
        named_own.filter(~pl.col("is_own"))
        .group_by("node")
        .agg(
            pl.col("part").first().alias("unknown_part"),
            pl.lit(path_step.level).first().alias("unknown_level"),
            pl.col("above").drop_nulls().unique().sort().str.join(" ").replace("", None).alias("unknown_in"),
            pl.col("elsewhere").drop_nulls().unique().sort().str.join(", ").replace("", None).alias("refused"),
            pl.col("root").drop_nulls().unique().sort().str.join(" ").replace("", None).alias("candidate_codes"),
            (pl.col("code").is_null() & pl.col("name").is_not_null() & is_coded).first().alias("is_without_code"),
        )
        .with_columns(
            pl.when(pl.col("refused").is_not_null())
            .then(pl.lit("outside_territory"))
            .when("is_without_code")
            .then(pl.lit("region_without_code"))
            .alias("refused_by")
        )
        .drop("is_without_code")
    )
    before = [name for name in met.columns if name.startswith("met")]
    columns = ["node", *before, *MEANING]
    same = ["node", *before[-1:], "region_code", "refused", "codes"]
    return pl.concat([met.select(columns), made.select(columns)]).unique(same, keep="any"), unmatched, brought


def _keyed(parts: pl.DataFrame, path_step: PathStep, lookup: Lookup, source: Source) -> pl.DataFrame:
    """The texts of steps with their `name`, `code`, `key` by which the source names regions, and `name_key`."""
    part = pl.col("part")
    if source.region_key == "name":
        split = parts.with_columns(name="part", code=pl.lit(None, pl.String))
    elif path_step.code and path_step.name:
        is_made = part.str.contains(MARK, literal=True).fill_null(False)
        pair = part.str.strip_suffix(")").str.split_exact(MARK, 1).struct
        made = parts.filter(is_made).with_columns(name=pair.field("field_0"), code=pair.field("field_1"))
        by_hand = parts.filter(~is_made).with_columns(
            name=pl.coalesce(part.str.extract(CODED_BY_HAND, 1), part), code=part.str.extract(CODED_BY_HAND, 2)
        )
        split = pl.concat([made, by_hand])
    else:
        split = parts.with_columns(name="part", code="part")
    split = split.with_columns(whole_code(pl.col("code")).replace("", None))
    keys = split.with_columns(name_key=name_key(pl.col("name"), lookup.spellings))
    by = pl.col("name_key") if source.region_key == "name" else code_key(pl.col("code"))
    return keys.with_columns(key=by)


def _country(lookup: Lookup) -> list[str]:
    """The regions of the country, whose codes are known: a row without them is not read by its names."""
    return in_territory(lookup.reference.regions, None)["code"].to_list()


def _with_its_name(met: pl.DataFrame, lookup: Lookup) -> pl.DataFrame:
    """What was met by its code, refused where the name is that of another."""
    names = lookup.names.join(met.select("region_code").unique(), on="region_code", how="semi")
    names = names.select("region_code", name_key="key", is_named=pl.lit(True)).unique()
    met = met.join(names, on=["region_code", "name_key"], how="left")
    differs = pl.col("refused").is_null() & pl.col("is_named").is_null()
    return met.with_columns(
        pl.when(differs).then("label").otherwise("refused").alias("refused"),
        pl.when(differs).then(pl.lit("code_and_name_differ")).otherwise("refused_by").alias("refused_by"),
    ).drop("is_named")


def _own(unmet: pl.DataFrame, names: pl.DataFrame, path_step: PathStep, lookup: Lookup, source: Source) -> pl.DataFrame:
    """What was not met with `is_own`, whether it is a region of the source's own, and its `own_code`; `elsewhere` is
    where it lies, if that is where the reference knows nothing and no figure is required.
    """
    system = f"{source.region_key}:"
    above, code = pl.col("above"), pl.col("code")
    aboves = lookup.lineage.join(unmet.select(code="above").unique(), on="code", how="semi")
    within = aboves.filter(pl.col("ancestor").is_in(path_step.own_within))["code"]
    scored = aboves.filter(pl.col("ancestor").is_in(lookup.covered.implode()))["code"]
    lower = names.select("code").unique()
    lowered = lookup.lineage.join(unmet.select(ancestor="above").unique(), on="ancestor", how="semi")
    filled = lowered.join(lower, on="code", how="semi")["ancestor"].unique()
    roots = lookup.reference.regions.select("code", "name", "parent").filter(pl.col("parent").is_null())
    where = aboves.join(roots, left_on="ancestor", right_on="code").select(
        above="code", root="ancestor", where=pl.format("{} ({})", "name", "ancestor")
    )
    is_named = code.is_null() & (pl.col("name_key") != "")
    is_empty = ~above.is_in(filled.implode()) & above.is_not_null()
    is_inside = (above.is_in(within.implode()) | above.str.starts_with(system) | above.str.starts_with(BY_NAME)) & bool(
        path_step.own_within
    )
    is_covered = above.is_in(scored.implode()) | above.str.starts_with(BY_NAME)
    is_elsewhere = code.is_null() & is_empty & ~is_covered
    by_name = pl.when(above.str.starts_with(BY_NAME)).then(above).otherwise(pl.format(BY_NAME + "{}", above))
    is_alone = pl.len().over("node") == 1
    return unmet.join(where.unique("above", keep="any"), on="above", how="left").with_columns(
        is_own=(is_alone & is_inside & (code.is_not_null() | (is_named & is_empty & is_covered))).fill_null(False),
        own_code=pl.when(code.is_not_null())
        .then(pl.format("{}{}", pl.lit(system), code))
        .otherwise(pl.format("{}/{}", by_name, "name_key")),
        elsewhere=pl.when(is_elsewhere).then("where"),
        root=pl.when(is_elsewhere).then("root"),
    )


def _without_twofold(meanings: pl.DataFrame, brought: pl.DataFrame, depth: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Refuses what is called by one code at two levels, and what lies in it; the regions of the source's own without
    them.
    """
    twofold = brought.filter(pl.col("level").n_unique().over("code") > 1)
    if twofold.is_empty():
        return meanings, brought
    for _ in range(depth):
        is_in = (pl.col(each).is_in(twofold["code"].implode()) for each in ("code", "parent"))
        twofold = brought.filter(pl.any_horizontal(is_in))
    is_twofold = pl.col("region_code").is_in(twofold["code"].implode())
    refused = meanings.with_columns(
        pl.when(is_twofold).then("region_code").otherwise("refused").alias("refused"),
        pl.when(is_twofold).then(pl.lit("code_at_two_levels")).otherwise("refused_by").alias("refused_by"),
    )
    return refused, brought.join(twofold, on=[*OWN], how="anti", nulls_equal=True)
