"""How a table names regions: one column of codes or names, or a path of columns from the province down."""

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from schemas.methodology.regions import LEVELS, Reference, lineage
from transforms.regions.lookup import code_key, codes_of, name_key, names_of

KEYS = ("code", "bps")  # systems of codes that are tried
LOOKED_AT = 100_000  # different rows
ONE_COLUMN, NEXT_COLUMN = 0.3, 0.7  # the share of rows whose regions must be known
PATH = LEVELS[LEVELS.index("province") :]


class Grain(NamedTuple):
    """The columns that name regions, by their position from the left: one, by a `key`, of some `levels`; or, by name,
    one for each of the levels from the highest down (`is_path`).

    `share` of the rows are known so. `own_within`: codes of regions of which the reference has nothing below, though
    the table has.
    """

    columns: tuple[int, ...]
    key: str
    levels: tuple[str, ...]
    share: float
    is_path: bool = False
    own_within: tuple[str, ...] = ()


def grain_of(columns: Sequence[Sequence[str | None]], reference: Reference) -> Grain | None:
    """How the columns of a table, as texts, name regions; None where they do not.

    Codes go before names where they know as many rows, and a path before a column of it.
    """
    rows = pl.DataFrame(
        {str(index): cells for index, cells in enumerate(columns)},
        schema={str(i): pl.String for i in range(len(columns))},
    )
    by_code = max((_by_code(rows, reference, key) for key in KEYS), key=_share)
    by_name = _by_path(rows, reference) or _by_name(rows, reference)
    best = by_name if by_code is None or _share(by_name) > _share(by_code) else by_code
    return best if _share(best) >= ONE_COLUMN else None


def _share(grain: Grain | None) -> float:
    return grain.share if grain else 0.0


def _by_code(rows: pl.DataFrame, reference: Reference, key: str) -> Grain | None:
    known = codes_of(reference, reference.regions, key).join(_levels(reference), on="code").unique("key")
    return _by_column(rows, {each: _keyed(rows[each], code_key(pl.col("text"))) for each in rows.columns}, known, key)


def _by_name(rows: pl.DataFrame, reference: Reference) -> Grain | None:
    """Names of villages and districts are those of many: alone they name none."""
    high = reference.down_to("regency_city")
    known = names_of(high, high.regions).join(_levels(reference), on="code").unique(["key", "level"])
    written = name_key(pl.col("text"), reference.spellings)
    return _by_column(rows, {each: _keyed(rows[each], written) for each in rows.columns}, known, "name")


def _by_column(rows: pl.DataFrame, keyed: dict[str, pl.DataFrame], known: pl.DataFrame, key: str) -> Grain | None:
    """The column most of whose cells are known."""
    best: Grain | None = None
    for index, name in enumerate(rows.columns):
        texts = rows.select(text=name).drop_nulls()
        found = texts.join(keyed[name].join(known, on="key", how="semi"), on="text", how="semi")
        share = found.height / max(texts.height, 1)
        if share > _share(best):
            levels = found.unique().join(keyed[name], on="text").join(known, on="key")["level"].unique()
            best = Grain((index,), key, tuple(sorted(levels, key=LEVELS.index)), share)
    return best


def _by_path(rows: pl.DataFrame, reference: Reference) -> Grain | None:
    """Columns of which each names regions within those of the column before it; None where there are not two."""
    names = names_of(reference, reference.regions).join(_levels(reference), on="code").select("key", "code", "level")
    inside = lineage(reference.regions)
    written = name_key(pl.col("text"), reference.spellings)
    keyed = {each: _keyed(rows[each], written) for each in rows.columns}
    different = rows.unique(maintain_order=True).head(LOOKED_AT).with_row_index("row")
    found = Grain((), "name", (), 0.0, is_path=True)
    placed: pl.DataFrame | None = None
    for level in PATH:
        of_level = names.filter(level=level).select("key", "code")
        best: tuple[float, int, pl.DataFrame] | None = None
        for index, name in enumerate(rows.columns):
            if index in found.columns:
                continue
            if placed is not None and rows[name].n_unique() <= rows[str(found.columns[-1])].n_unique():
                continue
            here = (
                different.select("row", text=name)
                .join(keyed[name].join(of_level, on="key"), on="text")
                .select("row", "code")
            )
            if placed is not None:
                within = here.join(inside, on="code").join(placed.rename({"code": "ancestor"}), on=["row", "ancestor"])
                here = within.select("row", "code").unique()
            share = here["row"].n_unique() / max(different.height, 1)
            if best is None or share > best[0]:
                best = share, index, here
        if best is None or best[0] < NEXT_COLUMN:
            continue
        if placed is None:
            # Rows of a region that has nothing below it in the reference are looked at alone: overseas.
            alone = reference.regions.filter(pl.col("parent").is_null() & (pl.col("level") == level))["code"]
            childless = set(alone) - set(reference.regions["parent"].drop_nulls())
            apart = best[2].filter(pl.col("code").is_in(childless))
            found = found._replace(own_within=tuple(sorted(apart["code"].unique())))
            different = different.join(apart, on="row", how="anti")
        share, index, placed = best
        found = found._replace(columns=(*found.columns, index), levels=(*found.levels, level), share=share)
    return found if len(found.columns) > 1 else None


def _levels(reference: Reference) -> pl.DataFrame:
    return reference.regions.select("code", "level")


def _keyed(cells: pl.Series, key: pl.Expr) -> pl.DataFrame:
    """The different texts of a column, and the key of each."""
    return pl.DataFrame({"text": cells.drop_nulls().unique()}).select("text", key=key)
