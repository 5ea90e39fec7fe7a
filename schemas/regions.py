"""The region reference: every code of both generations, with the dates it is valid for, and other names in use."""

import io
from dataclasses import dataclass, replace
from datetime import date
from typing import get_args

import polars as pl

from schemas.sources import RegionLevel
from schemas.strict import MethodologyError, Problem, csv_rows

REGIONS_FILE = "regions/regions.csv"
ALIASES_FILE = "regions/aliases.csv"
CODES_FILE = "regions/codes.csv"
CHANGES_FILE = "regions/changes.csv"
FORMER_FILE = "regions/former_codes.csv"
SPELLINGS_FILE = "regions/spellings.csv"
# Written as code and name alone: the rest follows from the region they lie in.
LOWER_FILES = {"district": "regions/districts.csv", "village": "regions/villages.csv"}

Day = date  # a day on which regions are valid; whoever has no clock needs no more of dates
LEVELS: tuple[str, ...] = get_args(RegionLevel)
REGION_COLUMNS = ("code", "level", "name", "parent", "kind", "valid_from", "valid_to", "code_2020", "code_bps")
ALIAS_COLUMNS = ("code", "alias", "note")
CODE_COLUMNS = ("system", "code", "region_code")
CHANGE_COLUMNS = ("date", "from_code", "to_code", "carries", "population_share", "note")
LOWER_COLUMNS = ("code", "name")
FORMER_COLUMNS = ("code", "code_2020")
SPELLING_COLUMNS = ("pattern", "replacement", "note")
# In the codes of Kemendagri, four digits name a village; those of a kelurahan begin with 1.
LAST_PART = r"\.[^.]*$"
KELURAHAN = r"\.1[0-9]{3}$"


@dataclass(frozen=True)
class Reference:
    """What is known of regions.

    `regions`: the columns of REGION_COLUMNS, dates as dates; `aliases`: other names in use (`code`, `alias`, `note`);
    `codes`: regions by codes of other systems (`system`, `code`, `region_code`); `changes`: regions that were divided
    (`date`, `from_code`, `to_code`, `carries`, `population_share`, `note`), from one generation of codes to the next;
    `spellings`: what is written out in names, one after the other, before they are compared (`pattern`, `replacement`,
    `note`).
    """

    regions: pl.DataFrame
    aliases: pl.DataFrame
    codes: pl.DataFrame
    changes: pl.DataFrame
    spellings: pl.DataFrame

    @property
    def files(self) -> tuple[str, ...]:
        """The files that it comes from."""
        here = set(self.regions["level"])
        lower = tuple(file for level, file in LOWER_FILES.items() if level in here)
        former = (FORMER_FILE,) if lower else ()
        return (REGIONS_FILE, *lower, *former, ALIASES_FILE, CODES_FILE, CHANGES_FILE, SPELLINGS_FILE)

    def down_to(self, level: str) -> "Reference":
        """The reference without the levels below one."""
        kept = LEVELS[: LEVELS.index(level) + 1]
        return replace(self, regions=self.regions.filter(pl.col("level").is_in(kept)))


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
    place = above.select("valid_from", "valid_to", parent="code")
    since = pl.col("valid_from").is_null()
    today = (
        frame.drop("row")
        .join(place, on="parent", how="left", maintain_order="left")
        .join(former, on="code", how="left", maintain_order="left")
        .with_columns(pl.when(since).then("code").otherwise("code_2020").alias("code_2020"))
    )
    earlier = (
        today.filter(~since & pl.col("code_2020").is_not_null())
        .select("name", "code_2020", code="code_2020", parent=pl.col("code_2020").str.replace(LAST_PART, ""))
        .join(place, on="parent", maintain_order="left")
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
    """Other names in use: `code`, `alias`, `note`. Raises MethodologyError."""
    frame = _frame(text, ALIASES_FILE, ALIAS_COLUMNS)
    broken = {
        "the code is that of no region": ~frame["code"].is_in(regions["code"].implode()),
        "the alias has no letter or digit to be known by": ~frame["alias"].str.contains(r"[\p{L}\p{N}]"),
    }
    _refuse(frame, broken, ALIASES_FILE)
    return frame.drop("row")


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
    """Regions that were divided: `date`, `from_code`, `to_code`, `carries`, `population_share`, `note`. Raises
    MethodologyError.

    `carries` tells whether a figure of the one may stand for the other, and `population_share` which share of the
    people of the whole lives in the part.
    """
    frame = _frame(text, CHANGES_FILE, CHANGE_COLUMNS)
    share = frame["population_share"].cast(pl.Float64, strict=False)
    day = frame["date"].str.to_date("%Y-%m-%d", strict=False)
    known = regions["code"].implode()
    broken = {
        f"a code is not in {REGIONS_FILE}": ~(frame["from_code"].is_in(known) & frame["to_code"].is_in(known)),
        "date is not a date like 2022-07-25": day.is_null(),
        "carries is not true or false": ~frame["carries"].is_in(["true", "false"]),
        "population_share is not a share from 0 to 1": (~share.is_between(0, 1)).fill_null(True),
    }
    _refuse(frame, broken, CHANGES_FILE, "from_code")
    return frame.with_columns(day, share, pl.col("carries") == "true").drop("row")


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


def _frame(text: str | None, file: str, columns: tuple[str, ...], *, strip: bool = True) -> pl.DataFrame:
    """A table of text with the number of each row; a file that is not there has none."""
    rows = csv_rows(text, file, columns, strip=strip) if text is not None else []
    schema = {"row": pl.Int64, **dict.fromkeys(columns, pl.String)}
    return pl.DataFrame([{"row": row, **cells} for row, cells in rows], schema=schema)


def _refuse(frame: pl.DataFrame, broken: dict[str, pl.Series], file: str, named: str = "code") -> None:
    """Raises MethodologyError for every row of which one of the sentences is true; `named` is what to call a row."""
    problems = [
        Problem(file, row, f"{sentence} ({named} {cell}).")
        for sentence, mask in broken.items()
        for row, cell in frame.filter(mask).select("row", named).rows()
    ]
    if problems:
        raise MethodologyError(problems)
