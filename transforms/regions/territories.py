"""Regions through time: which territory a name or a code stood for on a day, and what it is for an edition."""

from functools import lru_cache
from typing import Any, NamedTuple

import polars as pl

from schemas.methodology.regions import Day, Reference, valid_regions

# What is known of a region that is spoken of: the code that it is spoken of by, the region of the edition that it is,
# or why it is none (the rule, and what its sentence says), and the codes of the edition's regions that it concerns.
VALIDITY = {
    "code": pl.String,
    "region_code": pl.String,
    "refused": pl.String,
    "refused_by": pl.String,
    "codes": pl.String,
}


ANOTHER_TIME = "region_of_another_time"


class Fate(NamedTuple):
    """What became of a region between two days: `heir` is the region that its figures carry over to, if one."""

    code: str
    heir: str | None
    refused: str
    refused_by: str
    codes: str


@lru_cache(maxsize=32)
def validity(reference: Reference, on: Day, named_on: Day | None, key: str = "name") -> pl.DataFrame:
    """What the regions that are spoken of are for an edition: the columns of STANDING, one row per code.

    A region whose code changed is the same region. One that was divided between the day that is spoken of and the day
    of the edition, or is a part of such a one, is another territory, unless `changes` declares that its figures carry
    over. `named_on` is the day that is spoken of: what was not there on it is refused, and so are the levels of which
    the reference does not know how they were. Without a day, codes and names of all generations stand for what is
    valid `on` the day of the edition.
    """
    regions = reference.regions
    valid = valid_regions(regions, on)
    twin = valid.drop_nulls("code_2020").select("code_2020", twin="code")
    is_valid = pl.col("code").is_in(valid["code"].implode())
    dated = regions.join(twin, on="code_2020", how="left", maintain_order="left").select(
        "code",
        "level",
        pl.coalesce("code_2020", "code").alias("same"),
        pl.when(is_valid).then("code").otherwise("twin").alias("region_code"),
    )
    fates = _fates(reference, on, named_on, dated)
    dated = dated.join(fates, on="same", how="left", maintain_order="left").with_columns(
        pl.when(pl.col("refused_by").is_null()).then("region_code").otherwise("heir").alias("region_code"),
        pl.when(pl.col("heir").is_null()).then("refused").alias("refused"),
        pl.when(pl.col("heir").is_null()).then("refused_by").alias("refused_by"),
        pl.coalesce("heir", "codes", "region_code").alias("codes"),
    )
    if named_on is not None:
        dated = _of_their_time(reference, dated, named_on, key)
    return dated.filter(pl.col("region_code").is_not_null() | pl.col("refused").is_not_null()).select(*VALIDITY)


def _of_their_time(reference: Reference, dated: pl.DataFrame, day: Day, key: str) -> pl.DataFrame:
    """Refuses what was not there on a day, and the levels that the reference does not know on it."""
    there = valid_regions(reference.regions, day)["code"].implode()
    early = known_from(reference, key).filter(pl.col("since") > day)
    is_early = pl.col("since").is_not_null()
    is_there = pl.col("code").is_in(there)
    dated = dated.join(early, on="level", how="left", maintain_order="left").join(
        _periods(reference), on="code", how="left", maintain_order="left"
    )
    was = pl.when(~is_there).then("period").otherwise("refused")
    by = pl.when(~is_there).then(pl.lit(ANOTHER_TIME)).otherwise("refused_by")
    is_refused = is_early | ~is_there
    return dated.with_columns(
        pl.when(is_there & is_early).then(pl.col("since").cast(pl.String)).otherwise(was).alias("refused"),
        pl.when(is_there & is_early).then(pl.lit("date_before_reference")).otherwise(by).alias("refused_by"),
        pl.coalesce("codes", "region_code", pl.lit("")).alias("codes"),
        pl.when(~is_refused).then("region_code").alias("region_code"),
    )


def known_from(reference: Reference, key: str) -> pl.DataFrame:
    """The first day of which the reference knows the regions of a level by a key: `level`, `since`."""
    known = reference.known_since.select("key", "level", "since")
    own, all_keys = known.filter(key=key), known.filter(pl.col("key").is_null())
    return pl.concat([own, all_keys.join(own, on="level", how="anti")]).select("level", "since")


def laws(reference: Reference) -> pl.DataFrame:
    """The laws by which regions were founded or ended: `code`, `law`; of codes that changed, each."""
    changes = reference.changes.filter(pl.col("from_code").ne_missing(pl.col("to_code")))
    dated = changes.select(pl.coalesce("to_code", "from_code").alias("code"), "date", "law").drop_nulls("law")
    same = reference.regions.select("code", same=pl.coalesce("code_2020", "code"))
    return (
        dated.rename({"code": "same"})
        .join(same, on="same")
        .group_by("code")
        .agg(pl.col("law").sort_by("date").str.join("; "))
    )


def divisions(changes: pl.DataFrame) -> pl.DataFrame:
    """What regions were divided into in the end, through one change after the other: `region_code`, `current_code`,
    `carries`, `population_share` (null: not known), `note`, `changed_on` (the last of the changes), `law`.
    """
    parts: dict[str, dict[str, dict[str, Any]]] = {}
    for (_, whole), group in changes.sort("date", "from_code").group_by(["date", "from_code"], maintain_order=True):
        parts.setdefault(
            str(whole),
            {str(whole): {"carries": True, "population_share": 1.0, "note": [], "law": [], "changed_on": None}},
        )
        for part in parts.values():
            if str(whole) not in part:
                continue
            above = part.pop(str(whole))
            for row in group.drop_nulls("to_code").to_dicts():
                shares = (above["population_share"], row["population_share"])
                part[row["to_code"]] = {
                    "carries": above["carries"] and row["carries"],
                    "population_share": None if None in shares else shares[0] * shares[1],
                    "note": [*above["note"], *filter(None, [row["note"]])],
                    "law": [*above["law"], *filter(None, [row["law"]])],
                    "changed_on": row["date"],
                }
    rows = [
        (
            code,
            now,
            each["carries"],
            each["population_share"],
            "; ".join(each["note"]) or None,
            each["changed_on"],
            "; ".join(each["law"]) or None,
        )
        for code, each_part in parts.items()
        for now, each in each_part.items()
    ]
    schema = {
        "region_code": pl.String,
        "current_code": pl.String,
        "carries": pl.Boolean,
        "population_share": pl.Float64,
        "note": pl.String,
        "changed_on": pl.Date,
        "law": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _periods(reference: Reference) -> pl.DataFrame:
    """When the regions that were not always there were there, and by which law: `code`, `period`."""
    since, until = (pl.col(name).cast(pl.String).fill_null("...") for name in ("valid_from", "valid_to"))
    law = pl.when(pl.col("law").is_not_null()).then(pl.format(" ({})", "law")).otherwise(pl.lit(""))
    return (
        reference.regions.filter(pl.col("valid_from").is_not_null() | pl.col("valid_to").is_not_null())
        .join(laws(reference), on="code", how="left")
        .select("code", pl.format("{} ({}): {} – {}{}", "name", "code", since, until, law).alias("period"))
    )


def _fates(reference: Reference, on: Day, named_on: Day | None, dated: pl.DataFrame) -> pl.DataFrame:
    """What became of regions between two days: the columns of Fate, `same` (the code that stays) for `code`."""
    labels = dict(reference.regions.select("code", pl.format("{} ({})", "name", "code")).iter_rows())
    now = dict(dated.drop_nulls("region_code").select("same", "region_code").iter_rows())
    rows = _changes(reference, dated)
    since = rows.filter((pl.col("date") <= on) & pl.lit(named_on is not None))
    until = rows.filter(pl.col("date") > on)
    if named_on is not None:
        since, until = since.filter(pl.col("date") > named_on), until.filter(pl.col("date") <= named_on)
    else:
        gone = dated.filter(pl.col("region_code").is_null())["same"].implode()
        until = until.filter(pl.col("to_code").is_in(gone))
    fates = [_forward(code, since, labels, now) for code in since["from_code"].unique(maintain_order=True)]
    fates += [_back(code, until, labels, now) for code in until["to_code"].drop_nulls().unique(maintain_order=True)]
    schema = {**dict.fromkeys(Fate._fields, pl.String)}
    return pl.DataFrame(fates, schema=schema, orient="row").rename({"code": "same"})


def _changes(reference: Reference, dated: pl.DataFrame) -> pl.DataFrame:
    """The changes in the order of time, regions by the code that stays."""
    same = dict(dated.select("code", "same").iter_rows())
    stays = [pl.col(name).replace(same).alias(name) for name in ("from_code", "to_code")]
    return reference.changes.with_columns(stays).sort("date", "from_code", "to_code", nulls_last=True)


def _forward(code: str, changes: pl.DataFrame, labels: dict[str, str], now: dict[str, str]) -> Fate:
    """What a region became through changes, the first one first."""
    parts, heir, equations = [code], code, list[str]()
    ended = False
    for (_, whole), group in changes.group_by(["date", "from_code"], maintain_order=True):
        if whole not in parts:
            continue
        new = group["to_code"].drop_nulls().to_list()
        parts = [each for each in parts if each != whole] + new
        ended = ended or not new
        equations.append(_equation(str(whole), group, labels))
        if heir == whole:
            heir = next(iter(group.filter(carries=True)["to_code"].drop_nulls()), "")
    rule = "region_ended" if ended else "divided_region"
    codes = " ".join(sorted(now[part] for part in parts if part in now))
    return Fate(code, now.get(heir), "; ".join(equations), rule, codes)


def _back(code: str, changes: pl.DataFrame, labels: dict[str, str], now: dict[str, str]) -> Fate:
    """What a region was a part of before changes, the last one first."""
    wholes, heir, equations = [code], code, list[str]()
    for (_, whole), group in changes.reverse().group_by(["date", "from_code"], maintain_order=True):
        parts = group["to_code"].drop_nulls().to_list()
        if not set(wholes) & set(parts):
            continue
        wholes = [each for each in wholes if each not in parts] + [str(whole)]
        equations.append(_equation(str(whole), group.reverse(), labels))
        if heir in parts:
            carries = group.filter((pl.col("to_code") == heir) & pl.col("carries"))
            heir = str(whole) if carries.height else ""
    codes = " ".join(sorted({now[each] for each in wholes if each in now}))
    return Fate(code, now.get(heir), "; ".join(reversed(equations)), "divided_region", codes)


def _equation(whole: str, group: pl.DataFrame, labels: dict[str, str]) -> str:
    """A change as people of any language read it: the whole, its parts, the day and the law."""
    parts = " + ".join(labels.get(part, part) for part in group["to_code"].drop_nulls())
    laws = "; ".join(dict.fromkeys(part for law in group["law"].drop_nulls() for part in law.split("; ")))
    grounds = ", ".join(filter(None, (str(group["date"][0]), laws)))
    return f"{labels.get(whole, whole)}{' = ' if parts else ''}{parts} ({grounds})"


def day_starts(reference: Reference) -> pl.Series:
    """The days on which anything about regions changes: between two of them every name stands for one territory."""
    columns = [
        *(reference.regions[name] for name in ("valid_from", "valid_to")),
        *(reference.aliases[name] for name in ("valid_from", "valid_to") if name in reference.aliases.columns),
        reference.changes["date"],
        reference.known_since["since"],
    ]
    first = pl.Series([Day(1, 1, 1)])
    return pl.concat([first, *(column.rename("") for column in columns)]).drop_nulls().unique().sort()
