"""Pandera schemas derived from the data dictionary. Pandera is imported when a frame is first checked."""

import polars as pl

from schemas.contract.dictionary import Dictionary, Unit

POLARS_TYPES: dict[str, type[pl.DataType]] = {
    "text": pl.String,
    "integer": pl.Int64,
    "number": pl.Float64,
    "boolean": pl.Boolean,
    "date": pl.Date,
}


def polars_schema(dictionary: Dictionary, table: str) -> dict[str, type[pl.DataType]]:
    """The Polars types of a table's columns, in their order."""
    return {name: POLARS_TYPES[dictionary.columns[name].type] for name in dictionary.tables[table].columns}


def row_violations(frame: pl.DataFrame, dictionary: Dictionary, table: str, unit: Unit) -> pl.DataFrame:
    """The rows that break the contract of a table: their `position`, `column`, `rule`, one row per violation.

    `frame` has the columns of the table, and `position` to name rows by. `unit` is the domain of the columns that have
    a `range` rule. Raises TypeError on a LazyFrame, whose data Pandera would silently not look at, and Pandera's
    SchemaError where a column is absent or has another type.
    """
    if not isinstance(frame, pl.DataFrame):
        raise TypeError("the contract is checked on an eager DataFrame; collect it first")
    import pandera.errors
    import pandera.polars as pa

    rules = dictionary.tables[table].rules
    lowest = None if unit.lowest is None else float(unit.lowest)
    highest = None if unit.highest is None else float(unit.highest)

    def finite(data: pa.PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(pl.col(data.key).is_finite())

    def within(data: pa.PolarsData) -> pl.LazyFrame:
        value = pl.col(data.key)
        inside = (pl.lit(True) if lowest is None else value >= lowest) & (
            pl.lit(True) if highest is None else value <= highest
        )
        return data.lazyframe.select(inside | ~value.is_finite())

    checks = {
        "required": pa.Check(lambda data: data.lazyframe.select(pl.col(data.key) != ""), name="required"),
        "finite": pa.Check(finite, name="finite"),
        "range": pa.Check(within, name="range"),
    }
    schema = pa.DataFrameSchema(
        {
            name: pa.Column(
                dtype,
                [checks[kind] for kind in rules.get(name, {})],
                nullable="required" not in rules.get(name, {}),
            )
            for name, dtype in polars_schema(dictionary, table).items()
        }
    )
    empty = pl.DataFrame(schema={"position": pl.Int64, "column": pl.String, "rule": pl.String})
    try:
        schema.validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as failed:
        cases: pl.DataFrame = failed.failure_cases
        if cases["index"].null_count():
            raise
        kinds = pl.col("check").replace({"not_nullable": "required"})
        names = {(column, kind): rule for column, each in rules.items() for kind, rule in each.items()}
        named = pl.DataFrame(
            [(column, kind, rule) for (column, kind), rule in names.items()],
            schema=["column", "check", "rule"],
            orient="row",
        )
        return (
            cases.select("column", kinds, position=frame["position"].gather(cases["index"]))
            .join(named, on=["column", "check"], how="inner")
            .select(empty.columns)
            .unique()
        )
    return empty
