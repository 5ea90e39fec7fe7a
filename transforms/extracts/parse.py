"""From the bytes of an extract to rows: one row per figure, every cell as written, with sheet and row."""

from collections import Counter
from collections.abc import Collection, Sequence

import polars as pl

from schemas.contract.refusals import Refusal
from schemas.methodology.sources import JOINED, Source, plain
from transforms.extracts.derived import column_figures
from transforms.extracts.tables import Table, roles_of, table_of
from transforms.formats.cells import EVERY_ROW, WHOLE_ROW, cell_number, cell_text, is_figure
from transforms.formats.grids import grids
from transforms.formats.numbers import PERCENT, SEVERAL, plain_expr, style_contradiction
from transforms.regions.written import PATH, WITH_CODE

LONGEST_LABEL = 80  # of a column found, in a sentence
ROW = (
    *("sheet", "row", "region", "item", "value_text", "number", "reference", "severity", "date", "level"),
    *("is_evidenced", "region_column", "item_column", "value_column", "date_column", "severity_column"),
    *("level_column", "is_ragged", "is_percent", "odd"),
)


def extract_rows(content: bytes, source: Source) -> pl.DataFrame:
    """The rows of an extract: `sheet`, `row`, `region`, `item`, `value_text`, `number` (of a number cell), `reference`.

    Every text is stripped, blank ones are null. Events also have `severity` and `date`, and rows of a source that
    declares it the `level` of their region. `is_evidenced` marks rows that name a reference or evidence; the text of
    the evidence goes no further. `region_column`, `level_column`, `item_column`, `value_column`, `date_column` and
    `severity_column` are what the extract calls these columns; `is_ragged` marks rows with more or fewer cells; `odd`
    is the rule that a cell breaks before its value is looked at.

    Raises Refusal where a column is missing, there is no row, or numbers are not written as the source declares.
    """
    tables = [table_of(ways, source) for ways in grids(content, source)]
    usable = [table for table in tables if not roles_of(table.header, source).missing]
    # Of the sheets of a pattern those without any of the columns are notes; one that has some of them is a mistake.
    begun = [table for table in tables if table.present > 1 and roles_of(table.header, source).missing]
    for table in begun or usable or tables[:1]:
        _refuse_header(table, source, is_one_of_many=len(tables) > 1)
    bodies = [selected_rows(table, source) for table in usable]
    left_out = sum((left for _, left in bodies), Counter[str]())
    if left_out and not any(body for body, _ in bodies):
        raise Refusal(
            "no_row_asked_for",
            rows=left_out.total(),
            wanted=[(f"{label}: {first}", *others) for label, (first, *others) in source.where.items()],
            found=[have for have, _ in left_out.most_common()],
        )
    parts = [_rows(table, source, body) for table, (body, _) in zip(usable, bodies, strict=True)]
    rows = pl.concat(parts) if parts else None
    if rows is None or rows.is_empty():
        raise Refusal("no_rows")
    texts = rows["value_text"].filter(rows["number"].is_null()).drop_nulls()
    foreign = style_contradiction(texts, source.style, source.number_styles.values()) if len(texts) else None
    if foreign is not None:
        has_it = pl.col("value_text").str.replace(PERCENT, "") == foreign
        sheet, row, column = rows.filter(has_it).select("sheet", "row", "value_column").row(0)
        written = {"style": source.number_style, "example": source.style.example}
        raise Refusal("other_number_style", sheet, **written, row=row, column=column, value=foreign)
    return rows


def _without_headers(
    body: Sequence[tuple[int, Sequence[object]]], table: Table, region: int
) -> list[tuple[int, Sequence[object]]]:
    """The rows without those that repeat the header, as on every page of a printout. Raises Refusal for a header with
    other columns: what stands below it would be read as something else.
    """
    header = [plain(label) for label in table.header]
    kept = []
    for number, cells in body:
        if region >= len(cells) or plain(_stripped(cells[region]) or "") != header[region]:
            kept.append((number, cells))
        elif [plain(_stripped(cell) or "") for cell in cells[: len(header)]] != header:
            raise Refusal("other_header", row=number)
    return kept


def _stripped(cell: object) -> str | None:
    """The text of a cell without spaces around it; None for a blank."""
    text = cell_text(cell)
    return (text.replace("\u00a0", " ").strip() or None) if text else None


def _refuse_header(table: Table, source: Source, *, is_one_of_many: bool) -> None:
    roles = roles_of(table.header, source)
    part = table.sheet if is_one_of_many else None
    if roles.twice:
        raise Refusal("column_twice", part, column=roles.twice[0])
    if not roles.missing:
        return
    found = [label[:LONGEST_LABEL] for label in table.header if label]
    if source.format == "csv" and len(table.header) == 1 and any(mark in label for label in found for mark in ",;\t|"):
        raise Refusal("other_separator", part, missing=roles.missing, found=found, separator=source.separator)
    raise Refusal("columns_missing", part, missing=roles.missing, found=found)


def selected_rows(table: Table, source: Source) -> tuple[list[tuple[int, Sequence[object]]], Counter[str]]:
    """The rows of a table that are read, by their number, and what the rows have, by how many, that are left out
    because they are not those that the source selects in `where`.

    Blank rows, totals and repeated headers are neither. A row without a sound cell to recognise it by is kept, to be
    put in quarantine. Raises Refusal for a second table below.
    """
    roles = roles_of(table.header, source)
    found, values = roles.found, roles.values
    totals = {plain(label) for label in source.totals}
    region = found["region"]
    assert region is not None

    figures = [index for index in (found["value"], *values.values()) if index is not None]
    is_counted = source.layout == "events" and found["value"] is None
    item = found["item"]

    def is_read(cells: Sequence[object]) -> bool:
        """Whether a row says something: not a blank one, a total, or one without region and figure (a signature)."""
        named = _stripped(cells[region]) if region < len(cells) else None
        if named:
            return plain(named) not in totals
        if any(text and plain(text) in totals for text in map(_stripped, cells)):
            return False
        if is_counted and item is not None and item < len(cells) and _stripped(cells[item]):
            return True
        return any(index < len(cells) and is_figure(cells[index], source.number_styles.values()) for index in figures)

    body = [(number, cells) for number, cells in table.body if is_read(cells)]
    body = _without_headers(body, table, region)
    conditions = [
        (label, index, {plain(text) for text in source.where[label]})
        for label, index in roles.where.items()
        if index is not None
    ]
    kept, left_out = [], Counter[str]()
    for number, cells in body:
        written = [
            (label, (_stripped(cells[index]) if index < len(cells) else None) or "") for label, index, _ in conditions
        ]
        unclear = any(table.odd.get((number, index), "percent") != "percent" for _, index, _ in conditions)
        if unclear or all(plain(text) in wanted for (_, text), (_, _, wanted) in zip(written, conditions, strict=True)):
            kept.append((number, cells))
        else:
            left_out[", ".join(f"{label}: {text or '(blank)'}" for label, text in written)] += 1
    return kept, left_out


def _rows(table: Table, source: Source, body: Sequence[tuple[int, Sequence[object]]]) -> pl.DataFrame:
    roles = roles_of(table.header, source)
    found, values = roles.found, roles.values
    region = found["region"]
    assert region is not None
    width = len(table.header)
    is_text = source.format == "csv"
    used = sorted({index for index in (*found.values(), *values.values(), *roles.path) if index is not None})
    columns = {index: [cells[index] if index < len(cells) else None for _, cells in body] for index in used}
    numbers = [number for number, _ in body]
    ragged = [any(cell_text(cell) for cell in cells[width:]) or (is_text and len(cells) < width) for _, cells in body]
    no_evidence = {plain(word) for word in (*source.missing, *source.zero)}
    texts = {index: pl.Series([_stripped(cell) for cell in cells], dtype=pl.String) for index, cells in columns.items()}

    def every_row(value: str | None) -> pl.Series:
        return pl.Series([value], dtype=pl.String).new_from_index(0, len(body))

    def text(index: int | None) -> pl.Series:
        return every_row(None) if index is None else texts[index]

    def label(index: int | None) -> str | None:
        return None if index is None else table.header[index]

    def odd(number: int, index: int | None) -> str | None:
        indexes = [at for at in (index, *named_by, WHOLE_ROW) if at is not None]
        of_cells = (table.odd.get((row, at)) for at in indexes for row in (number, EVERY_ROW))
        return next((rule for rule in of_cells if rule and rule != "percent"), None)

    regions = text(region) if not roles.path else _paths(source, [text(index) for index in roles.path])
    named_by = [index for name in ("item", "severity", "date") if (index := found[name]) is not None]
    named_by += [index for index in (region, *roles.path, *roles.where.values()) if index is not None]

    def figures_of(index: int | None) -> pl.DataFrame:
        """The figures of a column; where there is none, a row is one event."""
        is_percent = [index is not None and table.odd.get((number, index)) == "percent" for number in numbers]
        cells: Sequence[object] = [1] * len(body) if index is None else columns[index]
        figures = pl.DataFrame(
            {
                "value_text": text(index) if index is not None else pl.Series(["1"]).new_from_index(0, len(body)),
                "number": pl.Series([cell_number(cell) for cell in cells], dtype=pl.Float64),
                "is_percent": pl.Series(is_percent, dtype=pl.Boolean),
                "odd": pl.Series(
                    [odd(number, index) for number in numbers] if table.odd else [None] * len(numbers),
                    dtype=pl.String,
                ),
            }
        )
        if not any(isinstance(cell, str) and ("\n" in cell or "\r" in cell) for cell in cells):
            return figures
        return figures.with_columns(
            pl.when(pl.col("odd").is_null() & pl.col("value_text").str.contains(SEVERAL))
            .then(pl.lit("several_values"))
            .otherwise("odd")
            .alias("odd")
        )

    every = pl.DataFrame(
        {
            "row": pl.Series(numbers, dtype=pl.Int64),
            "region": regions,
            "item": text(found["item"]),
            "reference": text(found["reference"]),
            "severity": text(found["severity"]),
            "level": text(found["level"]),
            "date": text(found["date"]),
            "is_ragged": pl.Series(ragged, dtype=pl.Boolean),
            "sheet": every_row(table.sheet),
            "is_evidenced": _says_something([text(found[name]) for name in ("reference", "evidence")], no_evidence),
            "region_column": every_row(label(region)),
            "item_column": every_row(label(found["item"])),
            "value_column": every_row(label(found["value"])),
            "date_column": every_row(label(found["date"])),
            "severity_column": every_row(label(found["severity"])),
            "level_column": every_row(label(found["level"])),
        }
    )
    if source.layout != "wide":
        return every.hstack(figures_of(found["value"])).select(ROW)
    # Columns below one another: every row as often as there are columns of figures.
    sent = {name: figures_of(index) for name, index in values.items() if index is not None}
    names = source.value_columns
    figures = pl.concat(column_figures(sent, name, source) for name in names)
    called = pl.DataFrame({"name": names, "called": [label(values.get(name)) or name for name in names]})
    of_column = called[pl.Series([position for position in range(len(names)) for _ in body], dtype=pl.UInt32)]
    rows = pl.concat([every] * len(names)).hstack(figures).hstack(of_column).with_columns(value_column="called")
    if found["item"] is None:
        rows = rows.with_columns(item="name", item_column="called")
    else:
        rows = rows.with_columns(item=pl.col("item") + JOINED + pl.col("name"))
    return rows.select(ROW).sort("row", maintain_order=True)


def _says_something(columns: Sequence[pl.Series], nothing: Collection[str]) -> pl.Series:
    """Whether a row has a text in any of some columns that is not one of the words for nothing."""
    written = [plain_expr(pl.lit(each)).is_in(list(nothing)).not_().fill_null(False) for each in columns]
    return pl.select(pl.any_horizontal(written)).to_series()


def _paths(source: Source, cells: list[pl.Series]) -> pl.Series:
    """The regions of the rows as one text each: the names of the steps, each with its code where there is one. Rows
    without any code have names alone.
    """
    frame = pl.DataFrame({str(index): series for index, series in enumerate(cells)})
    plain_cells = iter(pl.col(name).str.replace_all(PATH.strip(), ">", literal=True) for name in frame.columns)
    pairs = [tuple(next(plain_cells) for _ in step.columns) for step in source.region_path]
    coded = [pl.format(WITH_CODE, *pair) if len(pair) == 2 else pair[0] for pair in pairs]
    path = pl.concat_str(coded, separator=PATH)
    if all(len(pair) == 2 for pair in pairs):
        has_none = pl.all_horizontal(code.is_null() for _, code in pairs)
        uncoded = [pl.format(WITH_CODE, name, pl.lit("")) for name, _ in pairs]
        path = pl.when(has_none).then(pl.concat_str(uncoded, separator=PATH)).otherwise(path)
    return frame.select(path).to_series()
