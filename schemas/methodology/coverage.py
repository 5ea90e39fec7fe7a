"""Which regions an edition and its sources name, and whether the region reference has them."""

from collections.abc import Mapping

import polars as pl

from schemas.errors import Problem
from schemas.methodology.edition import Edition
from schemas.methodology.regions import (
    CODES_FILE,
    LEVEL_WORDS_FILE,
    LEVELS,
    REGIONS_FILE,
    Reference,
    in_territory,
    level_key,
    valid_regions,
)
from schemas.methodology.sources import Source
from schemas.methodology.sources_file import SOURCES_FILE
from schemas.strict import Document

KEYS = ("name", "code", "bps")


def lowest_level(edition: Edition, sources: Mapping[str, Source], own: set[str], reference: Reference) -> str:
    """The lowest level of the reference that the edition or one of its sources names."""
    roots = set(reference.regions.filter(pl.col("parent").is_null())["code"])
    spoken = {plan.level for plan in edition.region_levels} - own
    for source in sources.values():
        spoken |= {path_step.level for path_step in source.region_path if not roots <= {*path_step.own_within}}
        spoken |= set(() if source.region_path else source.region_levels)
    return max(spoken, key=LEVELS.index, default=LEVELS[0])


def own_levels(edition: Edition, sources: Mapping[str, Source], reference: Reference) -> set[str]:
    """The levels at which the edition's sources bring regions of its territory along."""
    steps = [step for source in sources.values() for step in source.region_path if step.own_within]
    within = [code for step in steps for code in step.own_within]
    regions = in_territory(reference.regions, edition.territory) if within else reference.regions
    here = {*regions.filter(pl.col("code").is_in(within))["code"]}
    return {step.level for step in steps if here & {*step.own_within}}


def key_problems(sources: Mapping[str, Source], reference: Reference) -> list[Problem]:
    """Every source that names regions in a way, or has regions of its own in a region, that the reference lacks."""
    keys = (*KEYS, *reference.codes["system"].unique(maintain_order=True))
    within = {code for source in sources.values() for step in source.region_path for code in step.own_within}
    codes = {*reference.regions.filter(pl.col("code").is_in(within))["code"]}
    sentences = [
        f"source {name}: the region_key '{source.region_key}' is none of {', '.join(keys)} (keys and systems of "
        f"{CODES_FILE})."
        for name, source in sources.items()
        if source.region_key not in keys
    ]
    sentences += [
        f"source {name}: own_within names {code}, which is not in {REGIONS_FILE}."
        for name, source in sources.items()
        for path_step in source.region_path
        for code in path_step.own_within
        if code not in codes
    ]
    words = reference.level_words
    known = set(words.select(level_key(pl.col("word"))).to_series())
    sentences += [
        f"source {name}: '{word}' is no word for a level or a kind of regions; {LEVEL_WORDS_FILE} has "
        f"{', '.join(words['word'])}."
        for name, source in sources.items()
        for word in (*((source.bare_name,) if source.bare_name else ()), *source.levels.values())
        if pl.select(level_key(pl.lit(word))).item() not in known
    ]
    return [Problem(SOURCES_FILE, None, sentence) for sentence in sentences]


def coverage_problems(edition: Edition, own: set[str], reference: Reference, document: Document) -> list[Problem]:
    """Every level of which the reference has another number of regions than declared; those that sources bring along
    are counted when they do.
    """
    valid = valid_regions(in_territory(reference.regions, edition.territory), edition.regions_date)
    codes = set(reference.regions["code"])
    problems = [
        Problem(document.file, document.line(("not_applicable", index)), f"{exempt.within} is not in {REGIONS_FILE}.")
        for index, exempt in enumerate(edition.not_applicable)
        if exempt.within not in codes
    ]
    for index, plan in enumerate(edition.region_levels):
        if plan.level in own:
            continue
        here = set(valid.filter(level=plan.level)["code"])
        unknown = sorted(set(plan.codes) - here)
        if unknown:
            sentence = f"not valid as {plan.level} on {edition.regions_date}: {', '.join(unknown)}."
            problems.append(Problem(document.file, document.line(("region_levels", index, "codes")), sentence))
        count = len(plan.codes or here)
        if count != plan.regions:
            listed = "codes lists" if plan.codes else f"on {edition.regions_date} the reference has"
            sentence = (
                f"{plan.regions} regions are declared for {plan.level}, but {listed} {count}; correct the number, or "
                "list the regions that are scored under codes."
            )
            problems.append(Problem(document.file, document.line(("region_levels", index, "regions")), sentence))
    return problems
