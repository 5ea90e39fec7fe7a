"""The region reference: every code of both generations, with the dates it is valid for, and other names in use."""

import io
from datetime import date
from typing import get_args

import polars as pl

from schemas.sources import RegionLevel
from schemas.strict import MethodologyError, Problem, csv_rows

REGIONS_FILE = "regions/regions.csv"
ALIASES_FILE = "regions/aliases.csv"

LEVELS: tuple[str, ...] = get_args(RegionLevel)
REGION_COLUMNS = ("code", "level", "name", "parent", "kind", "valid_from", "valid_to", "code_2020", "code_bps")
ALIAS_COLUMNS = ("code", "alias", "note")


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
    problems = [
        Problem(REGIONS_FILE, row, f"{sentence} (code {code}).")
        for sentence, mask in broken.items()
        for row, code in frame.filter(mask).select("row", "code").rows()
    ]
    if problems:
        raise MethodologyError(problems)
    return typed.drop("row")


def aliases_of(text: str, regions: pl.DataFrame) -> pl.DataFrame:
    """Other names in use: `code`, `alias`, `note`. Raises MethodologyError."""
    known = set(regions["code"])
    rows = csv_rows(text, ALIASES_FILE, ALIAS_COLUMNS)
    problems = [
        Problem(ALIASES_FILE, row, f"the code '{cells['code']}' of '{cells['alias']}' is not in {REGIONS_FILE}.")
        for row, cells in rows
        if cells["code"] not in known
    ]
    problems += [
        Problem(ALIASES_FILE, row, f"the alias '{cells['alias']}' has no letter or digit to be known by.")
        for row, cells in rows
        if not any(mark.isalnum() for mark in cells["alias"])
    ]
    if problems:
        raise MethodologyError(problems)
    return pl.DataFrame([cells for _, cells in rows], schema=dict.fromkeys(ALIAS_COLUMNS, pl.String))


def valid_regions(regions: pl.DataFrame, on: date) -> pl.DataFrame:
    """The regions whose code is valid on a day."""
    return regions.filter(
        (pl.col("valid_from").is_null() | (pl.col("valid_from") <= on))
        & (pl.col("valid_to").is_null() | (pl.col("valid_to") > on))
    )
