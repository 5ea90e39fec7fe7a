"""Numbers and labels as people write them."""

from collections.abc import Iterable

import polars as pl

from schemas.contract.number_styles import MINUS, SPACES, NumberStyle
from schemas.methodology.sources import Source, plain

PERCENT = r"\s*%$"
SEVERAL = r"[0-9][^\n\r]*[\n\r](?s:.*)[0-9]"  # figures in several lines of one cell
MONTHS = (
    "januari februari maret april mei juni juli agustus september oktober november desember",
    "january february march april may june july august september october november december",
)
MONTH_NUMBERS = {name: str(number) for names in MONTHS for number, name in enumerate(names.split(), start=1)}


def plain_expr(column: pl.Expr) -> pl.Expr:
    """A column of labels without differences of case and spacing, as `plain` of sources does for one."""
    return column.str.replace_all(r"\s+", " ").str.strip_chars().str.to_lowercase()


def day_expr(text: pl.Expr) -> pl.Expr:
    """The day that a text stands for: 2019-04-17, 17/04/2019, 17-04-2019, 17.04.2019 or 17 April 2019 (also in
    Indonesian); null where it is none.
    """
    day = text.str.to_lowercase().str.replace_many(MONTH_NUMBERS).str.replace_all(r"[\s./-]+", " ").str.strip_chars()
    iso = text.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    return pl.coalesce(iso, day.str.to_date("%d %m %Y", strict=False))


def without_percent(text: str) -> str:
    """A text without spaces around it and without a sign of per cent behind it."""
    return text.strip().removesuffix("%").rstrip()


def without_sign_of_zero(number: pl.Expr) -> pl.Expr:
    """A number, where a negative zero is a zero."""
    return pl.when(number == 0).then(0.0).otherwise(number)


def number_expr(text: pl.Expr, style: NumberStyle) -> pl.Expr:
    """The number that a text stands for in a style, null where it is none, or so small that it would become a zero.

    One that is larger than any number that is kept is infinite.
    """
    written = text.str.replace_all(f"[{SPACES}]", " ") if " " in style.grouping else text
    bare = written.str.replace_all(f"[{style.grouping}]", "") if style.grouping else written
    bare = bare.str.replace(style.decimal_mark, ".", literal=True).str.replace_all(MINUS, "-", literal=True)
    is_number = written.str.contains(f"^(?:{style.pattern})$")
    number = pl.when(is_number).then(bare).cast(pl.Float64, strict=False)
    is_underflow = (number == 0) & written.str.contains("^[^eE]*[1-9]")
    return pl.when(~is_underflow).then(without_sign_of_zero(number))


def style_contradiction(texts: pl.Series, style: NumberStyle, others: Iterable[NumberStyle]) -> str | None:
    """A text that shows that figures are written in one of other styles than declared, so that what both styles read,
    but as other numbers (1.234), are not known; None where nothing can be misread.

    Texts in another style alone are no reason: each is refused by itself. They are where figures that both styles
    read differently stand beside them, or where nothing is written as declared.
    """
    rivals = [other for other in others if style.may_be_misread(other)]
    return next((text for other in rivals if (text := _contradiction(texts, style, other))), None)


def _contradiction(texts: pl.Series, style: NumberStyle, other: NumberStyle) -> str | None:
    text = pl.col("text")
    parsed = (
        texts.to_frame("text")
        .with_columns(text.str.replace(PERCENT, "").alias("text"))
        .select(
            text,
            ours=number_expr(text, style),
            theirs=number_expr(text, other),
        )
        .filter(pl.col("ours").is_not_null() | pl.col("theirs").is_not_null())
    )
    foreign = parsed.filter(pl.col("ours").is_null())["text"]
    differing = parsed.filter(pl.col("ours") != pl.col("theirs"))["text"]
    own = parsed.filter(pl.col("theirs").is_null())["text"]
    if len(foreign) and (len(differing) or (not len(own) and len(foreign) > 1)):
        return str(foreign[0])
    return None


def with_figure(rows: pl.DataFrame, source: Source) -> pl.DataFrame:
    """The rows with `figure_text`, the figure as text, and `number`, where words for nothing and per cent are read.

    12,5 % is 12,5 in the unit pct and 0,125 in the unit share; in any other unit it is no number. A number cell
    shown in per cent is kept as its share in the file.
    """
    text, unit = pl.col("value_text"), pl.col("unit").fill_null(source.unit)
    bare = text.str.replace(PERCENT, "")
    is_share = (unit == "share") & text.str.contains(PERCENT)
    zero = plain_expr(text).is_in([plain(token) for token in source.zero]).fill_null(False)
    return rows.with_columns(
        pl.when(zero)
        .then(0.0)
        .when(is_share)
        .then(number_expr(bare, source.style) / 100)
        .when(pl.col("is_percent") & ~unit.is_in(["pct", "share"]))
        .then(None)
        .when(pl.col("is_percent") & (unit == "pct"))
        .then(pl.col("number") * 100)
        .otherwise("number")
        .alias("number"),
        pl.when(unit == "pct")
        .then(bare)
        .when(pl.col("is_percent") & (unit != "share"))
        .then(pl.format("{} %", text))
        .otherwise(text)
        .alias("figure_text"),
    )
