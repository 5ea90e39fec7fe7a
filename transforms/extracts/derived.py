"""Columns of figures that a source declares to be computed from others of the same row."""

from collections.abc import Mapping

import polars as pl

from schemas.methodology.sources import Derived, Source, plain
from transforms.formats.numbers import number_expr, plain_expr, with_figure


def column_figures(sent: Mapping[str, pl.DataFrame], name: str, source: Source) -> pl.DataFrame:
    """The figures of a column, sent or derived, blank where what they need is zero or blank: `value_text`, `number`,
    `is_percent`, `odd`. Where what they need is no number, that stands for them. `sent` holds the columns of the
    extract.
    """
    known = dict(sent)
    figures = _figures(known, name, source)
    if name not in source.needs:
        return figures
    needed = _figures(known, source.needs[name], source)
    numbers = _numbers(needed, source)
    is_there = (numbers != 0).fill_null(False)
    words = _words(needed, numbers, source)
    return figures.with_columns(
        pl.when(is_there).then("value_text").otherwise(words).alias("value_text"),
        pl.when(is_there).then("number").alias("number"),
        pl.coalesce(needed["odd"], "odd").alias("odd"),
    )


def _figures(known: dict[str, pl.DataFrame], name: str, source: Source) -> pl.DataFrame:
    """The figures of a column; where one that it is derived from is no number, that one stands for it. `known` are the
    columns sent and those derived so far, to which it is added.
    """
    if name in known:
        return known[name]
    made = source.derived[name]
    parts = {each: _figures(known, each, source) for each in made.columns}
    numbers = pl.DataFrame({each: _numbers(figures, source) for each, figures in parts.items()})
    number = numbers.select(_made(made).alias("number")).to_series()
    words = pl.DataFrame({each: _words(figures, numbers[each], source) for each, figures in parts.items()})
    odd = pl.DataFrame({each: figures["odd"] for each, figures in parts.items()})
    known[name] = pl.DataFrame(
        {
            "value_text": words.select(pl.coalesce(pl.all())).to_series().fill_null(_text(number)),
            "number": number,
            "is_percent": pl.repeat(False, len(number), dtype=pl.Boolean, eager=True),
            "odd": odd.select(pl.coalesce(pl.all())).to_series(),
        }
    )
    return known[name]


def _made(made: Derived) -> pl.Expr:
    if made.all_of:
        part, whole = (pl.col(each) for each in made.all_of)
        return pl.when(whole > 0).then((part == whole).cast(pl.Float64))
    if made.any_of:
        return (pl.col(made.any_of) > 0).cast(pl.Float64)
    figure: pl.Expr = pl.lit(0.0)
    for each in made.add:
        figure = figure + pl.col(each)
    for each in made.subtract:
        figure = figure - pl.col(each)
    return figure


def _read(figures: pl.DataFrame, source: Source) -> pl.DataFrame:
    return with_figure(figures.with_columns(pl.lit(source.unit).alias("unit")), source)


def _numbers(figures: pl.DataFrame, source: Source) -> pl.Series:
    number = pl.coalesce("number", number_expr(pl.col("figure_text"), source.style))
    return _read(figures, source).select(number).to_series()


def _words(figures: pl.DataFrame, numbers: pl.Series, source: Source) -> pl.Series:
    """The texts that are neither numbers nor words for a blank."""
    blank = [plain(token) for token in source.missing]
    is_word = ~plain_expr(pl.col("value_text")).is_in(blank) & numbers.is_null()
    return _read(figures, source).select(pl.when(is_word).then("figure_text")).to_series()


def _text(numbers: pl.Series) -> pl.Series:
    """Numbers as texts, whole ones without a fraction."""
    number = pl.col("number")
    whole = number.cast(pl.Int64, strict=False)
    text = pl.when(whole == number).then(whole.cast(pl.String)).otherwise(number.cast(pl.String))
    return numbers.to_frame("number").select(text).to_series()
