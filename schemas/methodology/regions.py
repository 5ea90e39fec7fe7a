"""The region reference: every code of both generations, with the dates it is valid for, and other names in use."""

import io
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from typing import get_args

import polars as pl

from schemas.errors import MethodologyError, Problem
from schemas.methodology.sources import RegionLevel
from schemas.strict import csv_rows

REGIONS_FILE = "regions/regions.csv"
ALIASES_FILE = "regions/aliases.csv"
CODES_FILE = "regions/codes.csv"
CHANGES_FILE = "regions/changes.csv"
FORMER_FILE = "regions/former_codes.csv"
SPELLINGS_FILE = "regions/spellings.csv"
KNOWN_SINCE_FILE = "regions/known_since.csv"
LEVEL_WORDS_FILE = "regions/level_words.csv"
# Written as code and name alone: the rest follows from the region they lie in.
LOWER_FILES = {"district": "regions/districts.csv", "village": "regions/villages.csv"}

Day = date  # a day on which regions are valid; whoever has no clock needs no more of dates
LEVELS: tuple[str, ...] = get_args(RegionLevel)
REGION_COLUMNS = ("code", "level", "name", "parent", "kind", "valid_from", "valid_to", "code_2020", "code_bps")
ALIAS_COLUMNS = ("code", "alias", "note")
ALIAS_TIMES = ("valid_from", "valid_to")
CODE_COLUMNS = ("system", "code", "region_code")
CHANGE_COLUMNS = ("date", "from_code", "to_code", "carries", "population_share", "note")
CHANGE_GROUNDS = ("law", "evidence")
KNOWN_SINCE_COLUMNS = ("key", "level", "since", "evidence", "note")
LOWER_COLUMNS = ("code", "name")
FORMER_COLUMNS = ("code", "code_2020")
SPELLING_COLUMNS = ("pattern", "replacement", "note")
LEVEL_WORD_COLUMNS = ("word", "level", "kind", "note")
# Cells that may be blank: nothing is known, or nothing is said.
BLANK = ("to_code", "population_share", "key", "kind")
# In the codes of Kemendagri, four digits name a village; those of a kelurahan begin with 1.
LAST_PART = r"\.[^.]*$"
KELURAHAN = r"\.1[0-9]{3}$"


@dataclass(frozen=True, eq=False)  # known by identity, so that what is made of it can be kept
class Reference:
    """What is known of regions.

    `regions`: the columns of REGION_COLUMNS, dates as dates; `aliases`: other names in use (`code`, `alias`, `note`,
    `valid_from`, `valid_to`); `codes`: regions by codes of other systems (`system`, `code`, `region_code`); `changes`:
    regions that were divided or ended (`date`, `from_code`, `to_code`, `carries`, `population_share`, `note`, `law`,
    `evidence`); `spellings`: what is written out in names, one after the other, before they are compared (`pattern`,
    `replacement`, `note`); `known_since`: the first day of which it is known how the regions of a level were, and the
    codes of a key (`key`, `level`, `since`, `evidence`, `note`); `level_words`: what words for a level mean (`word`,
    `level`, `kind`, null: any of the level).
    """

    regions: pl.DataFrame
    aliases: pl.DataFrame
    codes: pl.DataFrame
    changes: pl.DataFrame
    spellings: pl.DataFrame
    known_since: pl.DataFrame = field(default_factory=lambda: known_since_of(None))
    level_words: pl.DataFrame = field(default_factory=lambda: level_words_of(None))

    @property
    def files(self) -> tuple[str, ...]:
        """The files that it comes from."""
        here = set(self.regions["level"])
        lower = tuple(file for level, file in LOWER_FILES.items() if level in here)
        former = (FORMER_FILE,) if lower else ()
        others = (ALIASES_FILE, CODES_FILE, CHANGES_FILE, SPELLINGS_FILE, KNOWN_SINCE_FILE, LEVEL_WORDS_FILE)
        return (REGIONS_FILE, *lower, *former, *others)

    def down_to(self, level: str) -> "Reference":
        """The reference without the levels below one."""
        return _down_to(self, level)


@lru_cache(maxsize=32)
def _down_to(reference: Reference, level: str) -> Reference:
    kept = LEVELS[: LEVELS.index(level) + 1]
    return replace(reference, regions=reference.regions.filter(pl.col("level").is_in(kept)))


def regions_of(text: str) -> pl.DataFrame:
    """The regions: text columns, `valid_from` and `valid_to` as dates, absent values null. Raises MethodologyError."""
    csv_rows(text, REGIONS_FILE, REGION_COLUMNS)
    frame = pl.read_csv(io.StringIO(text), infer_schema=False).with_row_index("row", offset=2)
    dates = ("valid_from", "valid_to")
    typed = frame.with_columns(pl.col(name).str.to_date("%Y-%m-%d", strict=False) for name in dates)
    order = {level: index for index, level in enumerate(LEVELS)}
    height = frame["level"].replace_strict(order, default=None, return_dtype=pl.Int64)
    parents = dict(zip(frame["code"], height, strict=True))
    parent_height = frame["parent"].replace_strict(parents, default=None, return_dtype=pl.Int64)
    broken = {
        "the code stands twice": frame["code"].is_duplicated(),
        f"the level is not one of {', '.join(LEVELS)}": ~frame["level"].is_in(LEVELS),
        "the parent is not of a higher level": parent_height.is_not_null() & (parent_height >= height),
        "code, level, name and kind must not be empty": frame.select(
            pl.any_horizontal(pl.col("code", "level", "name", "kind").is_null())
        ).to_series(),
        "the parent is not in the table": frame["parent"].is_not_null()
        & ~frame["parent"].is_in(frame["code"].implode()),
    }
    for name in dates:
        broken[f"{name} is not a date like 2022-07-25"] = frame[name].is_not_null() & typed[name].is_null()
    _refuse(frame, broken, REGIONS_FILE)
    return typed.drop("row")


def former_codes(text: str | None) -> pl.DataFrame:
    """Districts and villages whose code changed with that of their regency: `code`, `code_2020`. Raises
    MethodologyError.
    """
    frame = _frame(text, FORMER_FILE, FORMER_COLUMNS)
    broken = {
        "the code stands twice": frame["code"].is_duplicated(),
        "the former code stands twice": frame["code_2020"].is_duplicated(),
    }
    _refuse(frame, broken, FORMER_FILE)
    return frame.drop("row")


def lower_regions(text: str, level: str, above: pl.DataFrame, former: pl.DataFrame) -> pl.DataFrame:
    """The districts or villages of a file with the columns `code` and `name`, as `regions_of`. Raises MethodologyError.

    The codes are those of today. Where the regency's code changed, `former` has those of before, as far as known.
    """
    file = LOWER_FILES[level]
    header = tuple(text.partition("\n")[0].strip().split(","))
    if header != LOWER_COLUMNS:
        raise MethodologyError([Problem(file, 1, f"the columns are {', '.join(LOWER_COLUMNS)}.")])
    try:
        frame = pl.read_csv(io.StringIO(text), infer_schema=False).with_row_index("row", offset=2)
    except pl.exceptions.PolarsError as error:
        raise MethodologyError([Problem(file, None, f"it cannot be read as a table: {error}.")]) from error
    frame = frame.with_columns(pl.col("code").str.replace(LAST_PART, "").alias("parent"))
    broken = {
        "the code stands twice": frame["code"].is_duplicated(),
        "code and name must not be empty": frame.select(
            pl.any_horizontal(pl.col("code", "name").is_null())
        ).to_series(),
        "the region of the code's beginning is not in the reference": frame["parent"].is_not_null()
        & ~frame["parent"].is_in(above["code"].implode()),
    }
    _refuse(frame, broken, file)
    # Since when a district or a village is valid is known only where its code changed with that of its regency.
    whole = pl.col("code_2020").eq_missing(pl.col("code"))
    parent_regions = above.select(
        pl.when(~whole).then("valid_from").alias("valid_from"),
        "valid_to",
        parent="code",
        is_whole=whole,
    )
    since = pl.col("is_whole")
    today = (
        frame.drop("row")
        .join(parent_regions, on="parent", how="left", maintain_order="left")
        .join(former, on="code", how="left", maintain_order="left")
        .with_columns(pl.when(since).then("code").otherwise("code_2020").alias("code_2020"))
    )
    earlier = (
        today.filter(~since & pl.col("code_2020").is_not_null())
        .select("name", "code_2020", code="code_2020", parent=pl.col("code_2020").str.replace(LAST_PART, ""))
        .join(parent_regions, on="parent", maintain_order="left")
    )
    kind = (
        pl.when(pl.col("code").str.contains(KELURAHAN)).then(pl.lit("kelurahan")).otherwise(pl.lit("desa"))
        if level == "village"
        else pl.lit("kecamatan")
    )
    return (
        pl.concat([today, earlier], how="diagonal")
        .with_columns(pl.lit(level).alias("level"), kind.alias("kind"), pl.lit(None, pl.String).alias("code_bps"))
        .select(REGION_COLUMNS)
    )


def aliases_of(text: str | None, regions: pl.DataFrame) -> pl.DataFrame:
    """Other names in use: `code`, `alias`, `note`, and where a name has its time `valid_from` and `valid_to`. Raises
    MethodologyError.
    """
    frame = _frame(text, ALIASES_FILE, ALIAS_COLUMNS, ALIAS_TIMES)
    days = [frame[name].str.to_date("%Y-%m-%d", strict=False) for name in ALIAS_TIMES]
    broken = {
        **{f"{day.name} is not a date like 2022-07-25": frame[day.name].is_not_null() & day.is_null() for day in days},
        "the code is that of no region": ~frame["code"].is_in(regions["code"].implode()),
        "the alias has no letter or digit to be known by": ~frame["alias"].str.contains(r"[\p{L}\p{N}]"),
    }
    _refuse(frame, broken, ALIASES_FILE)
    return frame.with_columns(days).drop("row")


def spellings_of(text: str | None) -> pl.DataFrame:
    """What is written out in names before they are compared: `pattern`, a regular expression over a name in capitals
    whose words are divided by one space, and its `replacement`. Raises MethodologyError.
    """
    frame = _frame(text, SPELLINGS_FILE, SPELLING_COLUMNS, strip=False)

    def is_wrong(pattern: str) -> bool:
        try:
            pl.Series([""]).str.replace(pattern, "")
        except pl.exceptions.PolarsError:
            return True
        return not pattern

    wrong = pl.Series([is_wrong(pattern) for pattern in frame["pattern"]], dtype=pl.Boolean)
    _refuse(frame, {"the pattern is no regular expression": wrong}, SPELLINGS_FILE, "pattern")
    return frame.drop("row")


def level_key(word: pl.Expr) -> pl.Expr:
    """What a word for a level is known by: without case, spaces and punctuation, so that KAB./KOTA is kabkota."""
    return word.str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]", "")


def level_words_of(text: str | None) -> pl.DataFrame:
    """What words for a level mean: `word`, `level`, `kind` (null: any of the level). Raises MethodologyError."""
    frame = _frame(text, LEVEL_WORDS_FILE, LEVEL_WORD_COLUMNS)
    key = frame.select(level_key(pl.col("word"))).to_series()
    broken = {
        "the word stands twice": key.is_duplicated(),
        "the word has no letter or digit": key.is_in(["", None], nulls_equal=True),
        f"the level is not one of {', '.join(LEVELS)}": ~frame["level"].is_in(LEVELS).fill_null(False),
    }
    _refuse(frame, broken, LEVEL_WORDS_FILE, "word")
    return frame.select("word", "level", "kind")


def codes_of(text: str | None, regions: pl.DataFrame) -> pl.DataFrame:
    """Regions by codes of other systems: `system`, `code`, `region_code`. Raises MethodologyError."""
    frame = _frame(text, CODES_FILE, CODE_COLUMNS)
    broken = {
        f"the region code is not in {REGIONS_FILE}": ~frame["region_code"].is_in(regions["code"].implode()),
        "the code of the system stands twice": frame.select("system", "code").is_duplicated(),
        "the system is called like a key of ours": frame["system"].is_in(["name", "code", "bps"]),
    }
    _refuse(frame, broken, CODES_FILE)
    return frame.drop("row")


def changes_of(text: str | None, regions: pl.DataFrame) -> pl.DataFrame:
    """Regions that were divided or ended: `date`, `from_code`, `to_code`, `carries`, `population_share`, `note`, `law`,
    `evidence`. Raises MethodologyError.

    A region that was divided has a row for every part, the rest that keeps its code included; one that ended has a row
    without `to_code`. `carries` says whether a figure of the one may stand for the other, and `population_share` which
    share of the people of the whole lives in the part (null: not known).
    """
    frame = _frame(text, CHANGES_FILE, CHANGE_COLUMNS, CHANGE_GROUNDS)
    share = frame["population_share"].cast(pl.Float64, strict=False)
    day = frame["date"].str.to_date("%Y-%m-%d", strict=False)
    known = regions["code"].implode()
    broken = {
        f"a code is not in {REGIONS_FILE}": ~(
            frame["from_code"].is_in(known) & frame["to_code"].is_in(known).fill_null(True)
        ).fill_null(False),
        "date is not a date like 2022-07-25": day.is_null(),
        "carries is not true or false": ~frame["carries"].is_in(["true", "false"]).fill_null(False),
        "population_share is not a share from 0 to 1": frame["population_share"].is_not_null()
        & (~share.is_between(0, 1)).fill_null(True),
        "the change of that day stands twice": frame.select("date", "from_code", "to_code").is_duplicated(),
        "a region that ended has no part": frame["to_code"].is_null()
        & frame.select(pl.len().over("date", "from_code") > 1).to_series(),
    }
    _refuse(frame, broken, CHANGES_FILE, "from_code")
    return frame.with_columns(day, share, pl.col("carries") == "true").drop("row")


def known_since_of(text: str | None) -> pl.DataFrame:
    """The first day of which it is known how the regions of a level were: `key` (null: names, and codes of which
    nothing else is said), `level`, `since`, `evidence`, `note`. Raises MethodologyError.
    """
    frame = _frame(text, KNOWN_SINCE_FILE, KNOWN_SINCE_COLUMNS)
    since = frame["since"].str.to_date("%Y-%m-%d", strict=False)
    broken = {
        f"the level is not one of {', '.join(LEVELS)}": ~frame["level"].is_in(LEVELS).fill_null(False),
        "since is not a date like 2022-07-25": since.is_null(),
        "the level stands twice": frame.select("key", "level").is_duplicated(),
    }
    _refuse(frame, broken, KNOWN_SINCE_FILE, "level")
    return frame.with_columns(since).drop("row")


def valid_regions(regions: pl.DataFrame, on: date) -> pl.DataFrame:
    """The regions whose code is valid on a day."""
    return regions.filter(
        (pl.col("valid_from").is_null() | (pl.col("valid_from") <= on))
        & (pl.col("valid_to").is_null() | (pl.col("valid_to") > on))
    )


def lineage(regions: pl.DataFrame) -> pl.DataFrame:
    """Every region with each region it lies in, itself included: `code`, `ancestor`."""
    parents = regions.select(ancestor="code", above="parent")
    step = regions.select("code", ancestor="code")
    steps = [step]
    for _ in LEVELS:
        step = step.join(parents, on="ancestor").drop_nulls("above").select("code", ancestor="above")
        steps.append(step)
    return pl.concat(steps)


def in_territory(regions: pl.DataFrame, territory: str | None) -> pl.DataFrame:
    """The regions that lie in one, itself included; without one, those that lie in the highest of all (the country)."""
    outermost = regions.filter(pl.col("parent").is_null())
    highest = min(outermost["level"].unique(), key=LEVELS.index, default="")
    roots = regions.filter(code=territory) if territory else outermost.filter(level=highest)
    inside = lineage(regions).join(roots.select(ancestor="code"), on="ancestor", how="semi")
    return regions.join(inside.select("code").unique(), on="code", how="semi", maintain_order="left")


def _frame(
    text: str | None, file: str, columns: tuple[str, ...], optional: tuple[str, ...] = (), *, strip: bool = True
) -> pl.DataFrame:
    """A table of text with the number of each row, blank cells of columns that may be left out null; a file that is not
    there has no row.
    """
    rows = csv_rows(text, file, columns, optional, strip=strip) if text is not None else []
    schema = {"row": pl.Int64, **dict.fromkeys((*columns, *optional), pl.String)}
    frame = pl.DataFrame([{"row": row, **cells} for row, cells in rows], schema=schema)
    may_be_blank = [name for name in (*optional, *BLANK) if name in frame.columns]
    return frame.with_columns(pl.col(may_be_blank).replace("", None))


def _refuse(frame: pl.DataFrame, broken: dict[str, pl.Series], file: str, named: str = "code") -> None:
    """Raises MethodologyError for every row of which one of the sentences is true; `named` is what to call a row."""
    problems = [
        Problem(file, row, f"{sentence} ({named} {cell}).")
        for sentence, mask in broken.items()
        for row, cell in frame.filter(mask).select("row", named).rows()
    ]
    if problems:
        raise MethodologyError(problems)
