"""From admitted figures to what is scored: contradictions are settled by precedence, gaps stay gaps unless declared."""

from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

from schemas.contract.violations import FINDING
from schemas.methodology.library import Methodology
from schemas.methodology.sources import Source

PLACE = ["unit_key", "node_key"]


class Settled(NamedTuple):
    """What is scored, and how it came about.

    `reported`: one row per unit and leaf with a report (`raw_value`, `treated_value`, `status`, `extract_count`,
    `is_evidenced`, `is_score`, `population_key`, of a ratio `numerator` and `denominator`, of a sum over the regions
    below `members_counted`), leaf by leaf, as the engine reads it; `cap`: what values count for at most, by population
    and leaf (`cap`, null where too few values are known to derive it; `n`: of how many values); `entered`: finished
    scores, by unit and node (`score`); `stated`: where a node stands as published, whether or not its score was
    (`category`, `rank`); `heard`: the units about which anything but blanks was sent, though it may not
    count (`unit_key`); `observation`: every figure sent and what became of it; `findings`: contradictions and
    replacements.
    """

    reported: pl.DataFrame
    cap: pl.DataFrame
    entered: pl.DataFrame
    stated: pl.DataFrame
    heard: pl.DataFrame
    observation: pl.DataFrame
    findings: pl.DataFrame


def source_frame(sources: Mapping[str, Source]) -> pl.DataFrame:
    """What sources are worth, and how their rows come to figures: `source`, `precedence`, `measure`; `is_summed`: rows
    of one place are added up; `is_weighted`: events count by their severity.
    """
    return pl.DataFrame(
        [
            (name, source.precedence, source.measure, source.repeated == "sum", source.has_severities)
            for name, source in sources.items()
        ],
        schema={
            "source": pl.String,
            "precedence": pl.Int64,
            "measure": pl.String,
            "is_summed": pl.Boolean,
            "is_weighted": pl.Boolean,
        },
        orient="row",
    )


def settled(
    admitted: pl.DataFrame, refused_places: pl.DataFrame, methodology: Methodology, design: Mapping[str, pl.DataFrame]
) -> Settled:
    """Settle all admitted figures of a night. `design` are the frames of the methodology (`design_frames`).

    `admitted` has the rows of all extracts with `received_at` and `is_synthetic` of their receipts; `refused_places` is
    what quarantined rows were about. A sum of events or of repeated rows of which one was refused is not known, nor one
    of repeated rows of which one is blank.
    """
    units, nodes = design["unit"], design["node"]
    node = _fed(nodes)
    unit = units.select("unit_key", "label", "region_code", "region_level", "approach")

    def on_keys(rows: pl.DataFrame) -> pl.DataFrame:
        keyed = rows.join(node, on=["source_item", "statement"], how="left")
        return keyed.join(unit, on=["region_code", "region_level", "approach"], how="left")

    placed = _with_categories(on_keys(admitted), methodology).join(
        source_frame(methodology.sources), on="source", how="left"
    )
    inside = pl.col("unit_key").is_not_null() & pl.col("node_key").is_not_null()
    exempt = placed.filter(inside).join(design["not_applicable"], on=PLACE, how="semi")
    told = placed.filter(inside).join(design["not_applicable"], on=PLACE, how="anti")
    about = [*FORM_PLACE, "region_code", "received_at"]
    misplaced = _misplaced(refused_places, told, node, unit)
    every = pl.concat([on_keys(refused_places).drop_nulls(PLACE).select(about), misplaced.select(about)]).unique()
    form = ["source", "region_code"]
    newest = pl.concat([frame.select(*form, "received_at") for frame in (told, every)]).group_by(form).max()
    refused = every.join(newest, on=[*form, "received_at"], how="semi")
    repeated = told.filter("is_summed")
    gaps = _gaps(repeated)
    torn_up = pl.concat([every.join(repeated, on="source", how="semi").select(FORM_PLACE), gaps.select(FORM_PLACE)])
    events = _newest_forms(told.filter("is_event")).join(refused, on=FORM_PLACE, how="anti")
    totals = _totals(pl.concat([events, repeated.join(torn_up, on=FORM_PLACE, how="anti")]), methodology)
    stated = _with_state(pl.concat([told.filter(~IS_PART).select(*OF, *SAID), totals]))
    used = stated.filter(pl.col("state") == "used")
    outside = (
        placed.filter(~inside)
        .group_by("source", "source_item", "approach")
        .len()
        .select(
            pl.lit("outside_edition").alias("check"),
            pl.format("{} / {} / {}", "source", "source_item", "approach").alias("subject"),
            pl.col("len").cast(pl.String).alias("observed"),
            pl.lit(None, pl.String).alias("expected"),
        )
    )
    spared = (
        exempt.group_by("source", "node_code")
        .len()
        .select(
            pl.lit("not_applicable").alias("check"),
            pl.format("{} / {}", "source", "node_code").alias("subject"),
            pl.col("len").cast(pl.String).alias("observed"),
            pl.lit(None, pl.String).alias("expected"),
        )
    )
    is_figure = pl.col("statement") == "figure"
    leaves = used.filter(is_figure & pl.col("aggregation").is_null()).select(
        *PLACE,
        "value",
        "is_evidenced",
        extract="extract_sha256",
        is_score=pl.col("measure") == "score",
    )
    figures = _with_sums(_worked(_parts(leaves, nodes), methodology), design, methodology)
    reported, undefined, findings = _values(figures, units, nodes)
    entered = used.filter(is_figure & (pl.col("measure") == "score")).select(*PLACE, score="value")
    torn = stated.filter(pl.col("state") == "conflicting")
    lost = _lost(refused_places, told, node, unit)
    said = told.filter(pl.col("value").is_not_null())
    heard = pl.concat([said.select("unit_key"), on_keys(refused_places).select("unit_key").drop_nulls()])
    unknown = pl.concat([refused.select(PLACE), torn_up.select(PLACE), torn.select(PLACE), lost, undefined])
    complete = pl.concat([reported, _imputed(told, reported, unknown, units, nodes, design["asked"])], how="diagonal")
    placed_figures = complete.join(units.select("unit_key", "population_key"), on="unit_key")
    caps = _caps(placed_figures, methodology, design)
    return Settled(
        _treated(placed_figures, caps).sort("node_key", "unit_key"),
        caps,
        entered.sort(PLACE),
        _stated_without_score(used, node, methodology),
        heard.unique().sort("unit_key"),
        _lineage(told, stated, pl.concat([refused.select(FORM_PLACE), torn_up])),
        pl.concat([_disagreements(stated), outside.cast(FINDING), spared.cast(FINDING), findings, _told_gaps(gaps)]),
    )


FORM_PLACE = [*PLACE, "source", "extract_sha256"]
# A figure: what it is of and from where, and what it says.
OF = (
    *PLACE,
    "label",
    "node_code",
    "aggregation",
    "statement",
    "source",
    "precedence",
    "measure",
    "received_at",
    "extract_sha256",
)
SAID = ("value", "value_sent", "correction", "reference", "is_evidenced", "sheet", "row")
# Rows that are no figures by themselves, but parts of a sum.
IS_PART = pl.col("is_event") | pl.col("is_summed")


# What can be published of a node in place of its score.
STATEMENTS = ("category", "rank")


def _fed(nodes: pl.DataFrame) -> pl.DataFrame:
    """What is fed by an item: nodes, then items that ratios are divided by, then what is stated of nodes in place of a
    score (called by the node and the statement). The keys of the others come after those of nodes.
    """
    fed = nodes.select(
        "node_key", "node_code", "source_item", "aggregation", statement=pl.lit("figure"), of_key="node_key"
    )
    divisors = nodes.select(
        node_code="denominator", source_item="denominator", statement=pl.lit("figure"), of_key=pl.lit(None, pl.Int32)
    )
    stated = [
        nodes.select(
            node_code=pl.format("{}.{}", "node_code", pl.lit(statement)),
            source_item="source_item",
            statement=pl.lit(statement),
            of_key="node_key",
        )
        for statement in STATEMENTS
    ]
    others = pl.concat([divisors.drop_nulls("source_item").unique().sort("source_item"), *stated])
    keyed = others.with_columns(
        pl.int_range(1, pl.len() + 1, dtype=pl.Int32).alias("node_key") + nodes.height,
        pl.lit(None, pl.String).alias("aggregation"),
    )
    return pl.concat([fed, keyed.select(fed.columns)])


def _with_categories(rows: pl.DataFrame, methodology: Methodology) -> pl.DataFrame:
    """The rows with categories as their place in the edition's list: sources have words and an order of their own."""
    places = {category.code: place for place, category in enumerate(methodology.edition.categories, start=1)}
    words = pl.DataFrame(
        [
            (name, "category", float(position), float(places[code]))
            for name, source in methodology.sources.items()
            for position, code in enumerate(source.categories.values(), start=1)
        ],
        schema={"source": pl.String, "statement": pl.String, "value": pl.Float64, "_place": pl.Float64},
        orient="row",
    )
    return (
        rows.join(words, on=["source", "statement", "value"], how="left", maintain_order="left")
        .with_columns(
            pl.coalesce("_place", "value").alias("value"),
            pl.when(pl.col("_place").is_not_null()).then("_place").otherwise("value_sent").alias("value_sent"),
        )
        .drop("_place")
    )


def _stated_without_score(used: pl.DataFrame, node: pl.DataFrame, methodology: Methodology) -> pl.DataFrame:
    """Where nodes stand as published: `unit_key`, `node_key`, `category`, `rank`."""
    codes = {float(place): each.code for place, each in enumerate(methodology.edition.categories, start=1)}
    said = used.filter(pl.col("statement") != "figure").join(node.select("node_key", "of_key"), on="node_key")
    category, rank = (said.filter(statement=name).select("unit_key", "of_key", name="value") for name in STATEMENTS)
    return (
        category.rename({"name": "category"})
        .join(rank.rename({"name": "rank"}), on=["unit_key", "of_key"], how="full", coalesce=True)
        .select(
            "unit_key",
            node_key="of_key",
            category=pl.col("category").replace_strict(codes, default=None, return_dtype=pl.String),
            rank=pl.col("rank").cast(pl.Int64),
        )
        .sort(PLACE)
    )


def _parts(leaves: pl.DataFrame, nodes: pl.DataFrame) -> pl.DataFrame:
    """The figures of indicators: `numerator`, and of a ratio also `denominator` (null where it is not known)."""
    others = _fed(nodes).tail(-nodes.height).filter(statement="figure")
    divisor = others.select(denominator="node_code", divisor_key="node_key")
    ratios = nodes.join(divisor, on="denominator", how="left", maintain_order="left").select(
        "node_key", "divisor_key", "per", "unit", divided=pl.col("denominator").is_not_null()
    )
    divided_by = leaves.select("unit_key", divisor_key="node_key", denominator="value", divisor_extract="extract")
    return (
        leaves.rename({"value": "numerator"})
        .join(ratios, on="node_key", maintain_order="left")
        .with_columns((pl.col("divided") & ~pl.col("is_score")).alias("is_ratio"))
        .join(divided_by, on=["unit_key", "divisor_key"], how="left", maintain_order="left")
        .with_columns(pl.when("is_ratio").then(name).alias(name) for name in ("denominator", "divisor_extract"))
        .drop("divisor_key", "divided")
    )


EXTRACTS = ("extract", "divisor_extract")


def _worked(figures: pl.DataFrame, methodology: Methodology) -> pl.DataFrame:
    """The figures with `value` (null where a ratio has none), and `is_impossible` where it lies outside `domain`, or is
    something of nothing.
    """
    domains = pl.DataFrame(
        [(name, each.lowest, each.highest, each.domain) for name, each in methodology.dictionary.units.items()],
        schema={"unit": pl.String, "lowest": pl.Float64, "highest": pl.Float64, "domain": pl.String},
        orient="row",
    )
    ratio = pl.when(pl.col("denominator") > 0).then(pl.col("numerator") / pl.col("denominator") * pl.col("per"))
    outside = ~pl.col("value").is_between("lowest", "highest")
    of_nothing = (pl.col("denominator") == 0) & (pl.col("numerator") > 0)
    return (
        figures.with_columns(pl.when("is_ratio").then(ratio).otherwise("numerator").alias("value"))
        .join(domains, on="unit", how="left", maintain_order="left")
        .with_columns((pl.col("is_ratio") & (outside | of_nothing).fill_null(False)).alias("is_impossible"))
    )


def _with_sums(own: pl.DataFrame, design: Mapping[str, pl.DataFrame], methodology: Methodology) -> pl.DataFrame:
    """The figures with their sums over the regions below, where enough of these are known: `members_counted`.

    Of a ratio both parts are summed, over the regions of which both are known. `extract_count` is of how many extracts
    a figure is made. A figure of a region's own stands before a sum, unless it is a ratio of which a part is missing.
    """
    # Numbers are quicker to count than digests.
    numbered = (pl.when(pl.col(each).is_not_null()).then(pl.col(each).hash()).alias(each) for each in EXTRACTS)
    own = own.with_columns(numbered)
    is_other = (pl.col("extract") != pl.col("divisor_extract")).fill_null(False)
    counted = own.with_columns(
        (1 + is_other.cast(pl.Int32)).cast(pl.Int32).alias("extract_count"),
        pl.lit(None, pl.Int32).alias("members_counted"),
    ).drop(EXTRACTS)
    is_half = pl.col("value").is_null() & ~pl.col("is_impossible")
    parts = [counted.filter(~is_half)]
    is_known = pl.col("denominator").is_not_null() | ~pl.col("is_ratio")
    known = own.filter(~pl.col("is_score") & is_known & ~pl.col("is_impossible"))
    # Sorted, so that a sum has the same bits in whatever order the figures came.
    known = known.drop("value", "is_impossible", "lowest", "highest", "domain").sort(
        "node_key", "numerator", "denominator"
    )
    made_of = pl.col("extract").append(pl.col("divisor_extract")).drop_nulls()
    for below in design["roll_up_member"].filter(method="sum").partition_by("roll_up_key"):
        summed = (
            known.join(below, left_on="unit_key", right_on="member_key", maintain_order="left")
            .group_by("target_key", "node_key", maintain_order=True)
            .agg(
                pl.col("numerator", "denominator").sum(),
                pl.col("is_evidenced").any(),
                pl.col("is_score", "per", "unit", "is_ratio", "roll_up_key", "members", "min_share").first(),
                made_of.n_unique().cast(pl.Int32).alias("extract_count"),
                pl.len().cast(pl.Int32).alias("members_counted"),
            )
            .join(
                design["roll_up_exempt"],
                on=["roll_up_key", "target_key", "node_key"],
                how="left",
                maintain_order="left",
            )
            .with_columns(pl.col("members") - pl.col("exempt").fill_null(0))
            .filter(pl.col("members_counted") >= pl.col("members") * pl.col("min_share") - 1e-9)
            .with_columns(pl.when("is_ratio").then("denominator").alias("denominator"))
            .rename({"target_key": "unit_key"})
        )
        parts.append(_worked(summed, methodology).select(counted.columns))
    parts.append(counted.filter(is_half))
    return pl.concat(parts).unique(PLACE, keep="first", maintain_order=True)


def _values(
    worked: pl.DataFrame, units: pl.DataFrame, nodes: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The values of indicators as `Settled.reported`, without treatment; the places where a ratio has none, as one of
    its parts is not known or it is divided by zero; and findings about ratios that cannot be.
    """
    named = worked.filter("is_impossible").join(nodes.select("node_key", "node_code"), on="node_key")
    findings = named.join(units.select("unit_key", "label"), on="unit_key").select(
        pl.lit("ratio_out_of_range").alias("check"),
        pl.format("{} / {}", "label", "node_code").alias("subject"),
        pl.format("{} / {}", "numerator", "denominator").alias("observed"),
        expected="domain",
    )
    good = pl.col("value").is_not_null() & ~pl.col("is_impossible")
    reported = worked.filter(good).select(
        *PLACE,
        raw_value="value",
        treated_value="value",
        numerator=pl.when("is_ratio").then("numerator"),
        denominator="denominator",
        status=pl.when(pl.col("value") == 0).then(pl.lit("reported_zero")).otherwise(pl.lit("reported")),
        extract_count="extract_count",
        members_counted="members_counted",
        is_evidenced="is_evidenced",
        is_score="is_score",
    )
    return reported, worked.filter(~good).select(PLACE), findings.cast(FINDING)


def _newest_forms(events: pl.DataFrame) -> pl.DataFrame:
    """The events of the forms that count: a form takes the place of older ones of the same source and region whole."""
    return events.filter(pl.col("received_at") == pl.col("received_at").max().over("source", "region_code"))


def _gaps(repeated: pl.DataFrame) -> pl.DataFrame:
    """The sums of repeated rows of which some are blank and some are not: `figures` of how many `rows`."""
    counted = repeated.group_by(*FORM_PLACE, "label", "node_code").agg(figures=pl.col("value").count(), rows=pl.len())
    return counted.filter(pl.col("figures").is_between(1, pl.col("rows") - 1))


def _told_gaps(gaps: pl.DataFrame) -> pl.DataFrame:
    return gaps.select(
        pl.lit("sum_incomplete").alias("check"),
        pl.format("{} / {} / {}", "source", "label", "node_code").alias("subject"),
        pl.col("figures").cast(pl.String).alias("observed"),
        pl.col("rows").cast(pl.String).alias("expected"),
    ).cast(FINDING)


def _totals(parts: pl.DataFrame, methodology: Methodology) -> pl.DataFrame:
    """The figures that events and repeated rows come to, per extract, unit and leaf: the sum of their counts, of events
    whose severity is known of count x severity.
    """
    multipliers = {code: float(level.multiplier) for code, level in methodology.edition.severities.items()}
    severity = pl.col("severity").replace_strict(multipliers, default=0.0, return_dtype=pl.Float64)
    weight = pl.when("is_weighted").then(severity).otherwise(1.0)
    totals = (
        parts.sort("value", "severity")  # so that a sum has the same bits in whatever order rows were sent
        .group_by(OF, maintain_order=True)
        .agg(
            (pl.col("value") * weight).sum().alias("total"),
            pl.col("value").is_not_null().any().alias("is_told"),
            pl.lit(None, pl.String).alias("correction"),
            pl.lit(None, pl.String).alias("reference"),
            pl.col("is_evidenced").any(),
            pl.col("sheet").min(),
            pl.col("row").min(),
        )
    )
    value = pl.when("is_told").then("total")
    return totals.with_columns(value.alias("value"), value.alias("value_sent")).select(*OF, *SAID)


def _lineage(told: pl.DataFrame, stated: pl.DataFrame, incomplete: pl.DataFrame) -> pl.DataFrame:
    """Every row that was told, with what became of it: a part of a sum shares the state of the sum."""
    row = [*FORM_PLACE, "sheet", "row"]
    figures, parts = told.filter(~IS_PART), told.filter(IS_PART)
    rows = figures.join(stated.select(*row, "state"), on=row, how="left", nulls_equal=True)
    partial = incomplete.unique().with_columns(pl.lit("incomplete").alias("partial"))
    parts = parts.join(stated.select(*FORM_PLACE, "state"), on=FORM_PLACE, how="left")
    parts = parts.join(partial, on=FORM_PLACE, how="left").with_columns(
        pl.when(pl.col("is_summed") & pl.col("value").is_null())
        .then(pl.lit("blank"))
        .otherwise(pl.coalesce("state", "partial"))
        .alias("state")
    )
    parts = parts.drop("partial")
    return pl.concat([rows, parts]).with_columns(pl.col("state").fill_null("superseded"))


def _caps(reported: pl.DataFrame, methodology: Methodology, design: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The caps of the edition's treatments: `population_key`, `node_key`, `cap`, `n`.

    A cap is the quantile of all values of the leaf that are known at the level, zeros that fill blanks included and
    finished scores left out, interpolated between neighbours. It is null where fewer are known than the level asks for.
    """
    keys = ["population_key", "node_key"]
    parts = [pl.DataFrame(schema={"population_key": pl.Int32, "node_key": pl.Int32, "cap": pl.Float64, "n": pl.Int64})]
    for treatment in methodology.edition.treatments:
        level = design["population"].filter(region_level=treatment.level, approach=treatment.approach)
        counted = (
            reported.filter(~pl.col("is_score"))
            .join(level.select("population_key"), on="population_key", how="semi")
            .group_by(keys)
            .agg(
                pl.col("treated_value").quantile(float(treatment.cap_quantile), interpolation="linear").alias("cap"),
                pl.col("treated_value").count().cast(pl.Int64).alias("n"),
            )
            .join(design["node_expected"], on=keys)
        )
        is_covered = pl.col("n") >= pl.col("n_needed")
        parts.append(counted.select(*keys, cap=pl.when(is_covered).then("cap"), n="n"))
    return pl.concat(parts).unique(keys, keep="first", maintain_order=True).sort(keys)


def _treated(reported: pl.DataFrame, caps: pl.DataFrame) -> pl.DataFrame:
    """The leaves with `treated_value` capped where the edition says so; null where the cap is not known."""
    capped = caps.select("population_key", "node_key", "cap", is_capped=pl.lit(True))
    treated = pl.when(pl.col("cap").is_not_null()).then(pl.min_horizontal("treated_value", "cap"))
    return (
        reported.join(capped, on=["population_key", "node_key"], how="left", maintain_order="left")
        .with_columns(
            pl.when(pl.col("is_capped") & ~pl.col("is_score"))
            .then(treated)
            .otherwise("treated_value")
            .alias("treated_value")
        )
        .drop("cap", "is_capped")
    )


def _with_state(figures: pl.DataFrame) -> pl.DataFrame:
    """The figures with `state`.

    Of several for one place, the source of the highest precedence counts, then what was received last. Where figures
    of the same worth and time still differ, none is used: nothing but chance could decide.
    """
    told = pl.col("value").is_not_null()
    # Nearly all places have one figure, and looking at places one by one is slow.
    is_single = figures.select(PLACE).is_unique()
    single = figures.filter(is_single).with_columns(
        pl.when(told).then(pl.lit("used")).otherwise(pl.lit("blank")).alias("state")
    )
    ordered = figures.filter(~is_single).sort(
        ~told,
        -pl.col("precedence"),
        pl.col("received_at"),
        pl.col("reference").is_null(),
        *("source", "extract_sha256", "sheet", "row"),
        descending=[False, False, True, False, False, False, False, False],
    )
    best = pl.col("value").first().over(PLACE)
    worth = pl.struct("precedence", "received_at")
    among_best = told & (worth == worth.first().over(PLACE))
    torn = pl.when(among_best).then("value").n_unique().over(PLACE) - (~among_best).any().over(PLACE).cast(pl.UInt32)
    several = ordered.with_columns(
        pl.when(~told)
        .then(pl.lit("blank"))
        .when(among_best & (torn > 1))
        .then(pl.lit("conflicting"))
        .when(torn > 1)
        .then(pl.lit("superseded"))
        .when(pl.int_range(pl.len()).over(PLACE) == 0)
        .then(pl.lit("used"))
        .when(pl.col("value") == best)
        .then(pl.lit("confirming"))
        .otherwise(pl.lit("superseded"))
        .alias("state")
    )
    return pl.concat([single, several])


def _disagreements(stated: pl.DataFrame) -> pl.DataFrame:
    """Findings: sources that contradict each other in what they sent last, and figures a source replaced itself."""
    figures = stated.filter(pl.col("value").is_not_null() & stated.select(PLACE).is_duplicated()).with_columns(
        pl.format("{} / {}", "label", "node_code").alias("subject")
    )
    newest = pl.col("received_at") == pl.col("received_at").max().over(*PLACE, "source")
    said = pl.format("{} {}", "source", "value_sent")
    corrected = pl.when(pl.col("correction").is_not_null()).then(pl.format("{} -> {}", said, "value"))
    chosen = pl.when(pl.col("state") == "used").then(pl.format("{} ({})", "value", "source")).drop_nulls().first()
    contradictions = (
        figures.with_columns(chosen.over(PLACE).alias("expected"))
        .filter(newest & pl.col("expected").is_not_null())
        .group_by("subject", "expected")
        .agg(
            corrected.otherwise(said).unique().sort().str.join("; ").alias("observed"),
            pl.col("value_sent").n_unique().alias("figures"),
        )
        .filter(pl.col("figures") > 1)
        .select(pl.lit("contradiction").alias("check"), "subject", "observed", "expected")
    )
    own = [*PLACE, "source"]
    newest_value = pl.col("value").sort_by("received_at").last().over(own)
    replaced = (
        figures.with_columns(newest_value.alias("newest"))
        .filter(~newest & (pl.col("value") != pl.col("newest")))
        .select(
            pl.lit("replaced").alias("check"),
            "subject",
            pl.format("{} {}", "source", "value").alias("observed"),
            pl.col("newest").cast(pl.String).alias("expected"),
        )
        .unique()
    )
    conflicts = (
        figures.filter(pl.col("state") == "conflicting")
        .group_by("subject")
        .agg(said.unique().sort().str.join("; ").alias("observed"))
        .select(
            pl.lit("conflicting_extracts").alias("check"),
            "subject",
            "observed",
            pl.lit(None, pl.String).alias("expected"),
        )
    )
    return pl.concat([each.cast(FINDING) for each in (contradictions, conflicts, replaced)])


def _misplaced(places: pl.DataFrame, told: pl.DataFrame, node: pl.DataFrame, unit: pl.DataFrame) -> pl.DataFrame:
    """What refused rows without a known region can be about within their own extract, where rows are parts of sums: the
    regions that it speaks of, of these those that the name can mean.
    """
    spoken = told.filter(IS_PART).select("source", "extract_sha256", "region_code", "region_level").unique()
    can_be = pl.col("candidates").is_null() | pl.col("candidates").str.split(" ").list.contains(pl.col("region_code"))
    return (
        places.filter(pl.col("region_code").is_null())
        .drop("region_code", "region_level")
        .join(spoken, on=["source", "extract_sha256"])
        .filter(can_be)
        .join(node, on=["source_item", "statement"])
        .join(unit, on=["region_code", "region_level", "approach"])
    )


def _lost(places: pl.DataFrame, told: pl.DataFrame, node: pl.DataFrame, unit: pl.DataFrame) -> pl.DataFrame:
    """Which units refused rows without a known region can be about: those that the name can mean, or else all that
    their source says nothing of. What such a unit left blank may have been said: it is not known.
    """
    nameless = places.filter(pl.col("region_code").is_null()).join(node, on=["source_item", "statement"])
    meant = nameless.drop_nulls("candidates").with_columns(pl.col("candidates").str.split(" ")).explode("candidates")
    meant = meant.select("node_key", "approach", region_code="candidates").join(unit, on=["region_code", "approach"])
    silent = (
        nameless.filter(pl.col("candidates").is_null())
        .select("source", "node_key", "approach")
        .unique()
        .join(unit, on="approach")
        .join(told.select("source", "unit_key").unique(), on=["source", "unit_key"], how="anti")
    )
    return pl.concat([meant.select(PLACE), silent.select(PLACE)]).unique()


def _imputed(
    told: pl.DataFrame,
    reported: pl.DataFrame,
    unknown: pl.DataFrame,
    units: pl.DataFrame,
    nodes: pl.DataFrame,
    asked: pl.DataFrame,
) -> pl.DataFrame:
    """Zeros for the leaves that count as zero when left blank, in units that reported anything to the source that asks
    for them.

    What was said but not admitted, or said in two ways, is `unknown`: not blank, and never zero.
    """
    gaps = (
        told.filter(pl.col("value").is_not_null())
        .select("source", "unit_key")
        .unique()
        .join(units.select("unit_key", "population_key"), on="unit_key")
        .join(asked, on=["source", "population_key"])
        .join(nodes.filter(pl.col("missing") == "zero").select("node_key"), on="node_key", how="semi")
        .select(PLACE)
        .unique()
        .join(pl.concat([reported.select(PLACE), unknown]), on=PLACE, how="anti")
    )
    return gaps.select(
        *PLACE,
        raw_value=pl.lit(None, pl.Float64),
        treated_value=pl.lit(0.0),
        status=pl.lit("imputed"),
        extract_count=pl.lit(0, pl.Int32),
        is_evidenced=pl.lit(False),
        is_score=pl.lit(False),
    )
