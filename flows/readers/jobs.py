"""What a reader process answers besides the rows of an extract: the tables in it, a source that could read it, and its
workbook with the wrong cells marked.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from schemas.contract.refusals import Refusal
from schemas.methodology.library import Library
from schemas.methodology.sources import Source, plain
from schemas.strict import yaml_text
from transforms.extracts.parse import selected_rows
from transforms.extracts.proposal import proposed
from transforms.extracts.tables import Table, roles_of, table_of
from transforms.formats.cells import cell_text
from transforms.formats.grids import grids
from warehouse.outputs.marked import MarkedTable, write_marked

SHOWN_LABELS = 20


def write_tables_marked(file: Path, content: bytes, source: Source, violations: Sequence[Mapping[str, Any]]) -> None:
    """Write the tables of an extract as a workbook, with the cells of violations marked."""
    tables = [table_of(ways, source) for ways in grids(content, source)]
    write_marked(file, [MarkedTable(each.sheet, each.rows, each.header) for each in tables], violations)


def proposed_entry(content: bytes, file_name: str, library: Library) -> dict[str, Any]:
    """What `proposal` answers, of the bytes of a file."""
    found = proposed(content, file_name, library.reference)
    name = re.sub(r"[^a-z0-9]+", "-", plain(file_name.partition(".")[0])).strip("-0123456789") or "new-source"
    return {"name": name, "entry": yaml_text({name: found.entry}), "remarks": [asdict(each) for each in found.remarks]}


def tables_in(content: bytes, source: Source) -> list[dict[str, Any]]:
    """The tables that a source reads in an extract: where each stands, and what is read of it. Raises Refusal."""
    described = []
    for table in (table_of(ways, source) for ways in grids(content, source)):
        roles = roles_of(table.header, source)
        columns = {role: table.header[index] for role, index in roles.found.items() if index is not None}
        if source.region_path:
            columns.pop("region", None)
        columns |= {
            f"{step.level} {part}": label
            for step in source.region_path
            for part in ("name", "code")
            if plain(label := getattr(step, part) or "") in map(plain, table.header)
        }
        columns |= {f"item {label}": table.header[index] for label, index in roles.values.items() if index is not None}
        columns |= {f"where {label}": table.header[index] for label, index in roles.where.items() if index is not None}
        read = {*roles.found.values(), *roles.values.values(), *roles.path, *roles.where.values()}
        left_out = _left_out(table, source)
        unread = [label for index, label in enumerate(table.header) if label and index not in read]
        described.append(
            {
                "sheet": table.sheet,
                "header_row": table.header_row,
                "columns": columns,
                "missing": [" or ".join(labels) for labels in roles.missing],
                "columns_not_read": unread,
                "rows_below": len(table.body),
                "totals_left_out": _totals(table.body, roles.found["region"], source),
                "rows_left_out": left_out.total(),
                "left_out_have": dict(left_out.most_common(SHOWN_LABELS)),
            }
        )
    return described


def _left_out(table: Table, source: Source) -> Counter[str]:
    """What the rows of a table have that are left out, by how many; none where it cannot be read."""
    try:
        return Counter() if roles_of(table.header, source).missing else selected_rows(table, source)[1]
    except Refusal:
        return Counter()


def _totals(body: Sequence[tuple[int, Sequence[object]]], region: int | None, source: Source) -> list[int]:
    totals = {plain(label) for label in source.totals}
    if region is None or not totals:
        return []
    return [row for row, cells in body if region < len(cells) and plain(cell_text(cells[region]) or "") in totals]
