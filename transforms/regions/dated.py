"""The regions of rows that say on which day they were true: a name stands for the territory that it was on that day."""

import polars as pl

from schemas.methodology.sources import Source
from transforms.formats.numbers import day_expr
from transforms.regions.lookup import FOUND, Lookup, region_lookup
from transforms.regions.resolving import Resolved, resolved
from transforms.regions.territories import day_starts

# Of these the sentence names the day.
OF_DAYS = ("divided_region", "region_ended", "region_of_another_time", "date_before_reference")


def resolved_on_days(rows: pl.DataFrame, lookup: Lookup, source: Source) -> Resolved:
    """The rows as `resolved` gives them, each by the regions of its own `date`; rows without one (or with one that
    cannot be read) by those of the source's `regions_date`.
    """
    if not source.columns.date or "date" not in rows.columns:
        return resolved(rows, lookup, source)
    starts = day_starts(lookup.reference).to_frame("since").set_sorted("since")
    dated = (
        rows.with_columns(day_expr(pl.col("date")).alias("_day"))
        .with_row_index("_order")
        .sort("_day", nulls_last=True, maintain_order=True)
        .join_asof(starts, left_on="_day", right_on="since", strategy="backward")
    )
    parts = []
    for (since,), part in dated.group_by("since", maintain_order=True):
        then = lookup
        if since is not None:
            of_then = source.model_copy(update={"regions_date": since})
            then = region_lookup(lookup.reference, of_then, lookup.on, lookup.territory)
        parts.append(resolved(part.drop("since"), then, source))
    if not parts:
        return resolved(rows, lookup, source)
    own = pl.concat(part.own for part in parts).unique()
    is_dated = pl.col("_day").is_not_null() & pl.col("refused_by").is_in(OF_DAYS)
    found = (
        pl.concat(part.rows for part in parts)
        .sort("_order")
        .with_columns(
            pl.when(is_dated).then(pl.format("{}; {}", "_day", "refused")).otherwise("refused").alias("refused")
        )
        .select(*rows.columns, *FOUND)
    )
    return Resolved(found, own)
