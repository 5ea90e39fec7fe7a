"""Tables in grids: where the header is, and which column plays which role."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from schemas.contract.refusals import Refusal
from schemas.methodology.sources import JOINED, Headers, Source, plain
from transforms.formats.cells import Grid, cell_text

SEARCHED = 50  # rows at the top of a sheet, among which the header is looked for


class Table(NamedTuple):
    """A table as a grid has it: the labels of its columns, the rows below them, and what is odd about cells;
    `present` is how many of the declared columns it has, `rows` are all rows of the grid.
    """

    sheet: str | None
    header: tuple[str, ...]
    header_row: int
    body: Sequence[tuple[int, Sequence[object]]]
    odd: Mapping[tuple[int, int], str]
    present: int
    rows: Sequence[tuple[int, Sequence[object]]]


class Roles(NamedTuple):
    """Which column of a table plays which role: by role, by label in a wide table those of figures (and of what figures
    are derived from), those of the steps of a path, and by label those that select which rows are read.
    """

    found: dict[str, int | None]
    values: dict[str, int | None]
    path: tuple[int | None, ...]
    where: dict[str, int | None]
    missing: tuple[tuple[str, ...], ...]
    twice: tuple[str, ...]


def roles_of(header: Sequence[str], source: Source) -> Roles:
    """The roles of the columns with these labels; what the source declares and the header lacks."""
    labels = [plain(label) for label in header]
    column_of = {label: index for index, label in reversed(list(enumerate(labels)))}
    path = [label for each in source.region_path for label in each.columns]
    declared: dict[str, tuple[str, ...]] = {role: getattr(source.columns, role) for role in Headers.model_fields}
    declared["region"] = declared["region"] or source.region_path[-1].columns[:1]
    needed = {"region", "level", "item", "value"} | ({"severity"} if source.layout == "events" else set())
    found = {
        role: next((column_of[plain(name)] for name in names if plain(name) in column_of), None)
        for role, names in declared.items()
    }
    figures = (
        [label for label in source.value_columns if label not in source.derived] if source.layout == "wide" else []
    )
    figures += [label for each in source.derived.values() for label in each.columns if label not in source.derived]
    figures += [label for label in source.needs.values() if label not in source.derived]
    values = {label: column_of.get(plain(label)) for label in figures}
    missing = [names for role, names in declared.items() if role in needed and names and found[role] is None]
    missing += [
        (label,)
        for label in dict.fromkeys([*path, *figures, *source.where])
        if plain(label) not in column_of and (label,) not in missing
    ]
    read = {label for names in declared.values() for label in names} | values.keys() | set(path) | source.where.keys()
    counts = Counter(labels)
    twice = tuple(label for label in read if counts[plain(label)] > 1)
    where = {label: column_of.get(plain(label)) for label in source.where}
    return Roles(found, values, tuple(column_of.get(plain(label)) for label in path), where, tuple(missing), twice)


def table_of(ways: Sequence[Grid], source: Source) -> Table:
    """The table in a grid: below the first row that has every label that the source declares.

    Of several ways to cut the grid the one counts that has such a row. Raises Refusal where more than one has.
    """
    tables = [(_table(grid, source), grid) for grid in ways]
    whole = [table for table, _ in tables if not roles_of(table.header, source).missing]
    if len(whole) > 1:
        raise Refusal("separator_unclear")
    if whole:
        return whole[0]
    return max(tables, key=lambda each: len(each[0].header))[0]


def _table(grid: Grid, source: Source) -> Table:
    depth = source.header_rows
    best: tuple[int, int, tuple[str, ...]] = (-1, 0, ())
    for index in range(min(len(grid.rows), SEARCHED)):
        labels = joined_labels(grid, index, depth)
        if not any(labels):
            continue
        roles = roles_of(labels, source)
        present = sum(each is not None for each in (*roles.found.values(), *roles.values.values()))
        if not roles.missing:
            if best[0] > 1:
                above = grid.rows[best[1]][0]
                raise Refusal("two_tables", first=above, second=grid.rows[index][0])
            best = present, index, labels
            break
        if present > best[0]:
            best = present, index, labels
    present, index, labels = best
    body = grid.rows[index + depth :]
    row = grid.rows[index][0] if grid.rows else 0
    return Table(grid.sheet, labels, row, body, _with_merged(grid, labels, source, body), present, grid.rows)


def joined_labels(grid: Grid, index: int, depth: int) -> tuple[str, ...]:
    """The labels of a header of one or two rows, beginning at an index; of two rows joined as in 'Skor / 2024'."""
    rows = [[(cell_text(cell) or "").strip() for cell in cells] for _, cells in grid.rows[index : index + depth]]
    width = max((len(row) for row in rows), default=0)
    rows = [[*row, *[""] * (width - len(row))] for row in rows]
    for (top, left), (bottom, right) in grid.merged:
        if index <= top < index + depth and top < len(grid.rows):
            label = rows[top - index][left] if left < width else ""
            for column in range(left, min(right + 1, width)):
                rows[top - index][column] = label
            for below in range(top + 1, min(bottom + 1, index + len(rows))):
                for column in range(left, min(right + 1, width)):
                    rows[below - index][column] = ""
    labels = [JOINED.join(part for part in parts if part) for parts in zip(*rows, strict=True)]
    while labels and not labels[-1]:
        labels.pop()
    return tuple(labels)


def _with_merged(
    grid: Grid, labels: Sequence[str], source: Source, body: Sequence[tuple[int, Sequence[object]]]
) -> dict[tuple[int, int], str]:
    """What is odd about cells, merged ones below the header included.

    A name over several rows speaks for each of them and is filled in; a figure over several cells belongs to none.
    """
    odd = dict(grid.odd)
    if not grid.merged or not body:
        return odd
    roles = roles_of(labels, source)
    named = {roles.found["region"], roles.found["level"], roles.found["item"], *roles.path, *roles.where.values()}
    first, last = body[0][0], body[-1][0]
    rows = dict(body)
    for (top, left), (bottom, right) in grid.merged:
        if top + 1 < first:
            continue
        for number in range(top + 1, min(bottom + 1, last) + 1):
            cells = rows.get(number)
            for column in range(left, min(right + 1, len(labels))):
                if column in named:
                    if left == right and isinstance(cells, list) and column < len(cells):
                        cells[column] = rows[top + 1][left]
                elif odd.get((number, column), "percent") == "percent":
                    odd[number, column] = "merged_value"
    return odd
