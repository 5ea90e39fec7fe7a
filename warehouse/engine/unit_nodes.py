"""Tables of every unit and node: rows are put where their keys say, so that nothing is joined or sorted to be written.

A statement gives figures by `unit_key` and `node_key`, in any order, and only where there are some. What is the same
for all rows of a unit, of a node or of the run is written as a dictionary: one value and many references to it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

# The value where a statement has no row; elsewhere it is null.
WITHOUT_ROW: dict[str, Any] = {"children_present": 0, "extract_count": 0, "status": "missing"}


class UnitNodeTable:
    """Lays out the rows of a statement: one for each unit and node, unit by unit in the order of keys, with labels."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        run: Mapping[str, Any],
        columns: Sequence[str],
        leaves_only: bool,
    ) -> None:
        nodes = "from node where not $leaves_only or children_expected = 0 order by node_key"
        self.nodes = connection.sql(nodes, params={"leaves_only": leaves_only}).to_arrow_table().combine_chunks()
        self.units = connection.sql("from unit order by unit_key").to_arrow_table().combine_chunks()
        self.run = run
        self.columns = columns
        self.labels: dict[tuple[str, int], pa.Array] = {}
        keys = self.nodes["node_key"].to_numpy()
        self.position = np.zeros(int(keys.max(initial=0)) + 1, np.int64)
        self.position[keys] = np.arange(len(keys))

    def filled(self, rows: pa.Table, first_unit: int, last_unit: int) -> pa.Table:
        """The published rows of a block of units: `rows` where unit and node stand, and the labels of these."""
        units, nodes = last_unit - first_unit + 1, len(self.nodes)
        rows = rows.combine_chunks()
        at = (rows["unit_key"].to_numpy().astype(np.int64) - first_unit) * nodes
        at += self.position[rows["node_key"].to_numpy()]
        of_unit = np.repeat(np.arange(units, dtype=np.int32), nodes)
        block = self.units.slice(first_unit - 1, units)

        def column(name: str) -> pa.Array:
            if name in rows.column_names:
                return placed_values(_whole(rows[name]), at, units * nodes, WITHOUT_ROW.get(name))
            if name in self.units.column_names:
                return _repeated(_whole(block[name]), of_unit)
            # What is no label of units is the same in every block of so many.
            if (name, units) not in self.labels:
                self.labels[name, units] = self._label(name, units)
            return self.labels[name, units]

        return pa.table({name: column(name) for name in self.columns})

    def _label(self, name: str, units: int) -> pa.Array:
        if name in self.run:
            return _repeated(pa.array([self.run[name]]), np.zeros(units * len(self.nodes), np.int32))
        return _repeated(_whole(self.nodes[name]), np.tile(np.arange(len(self.nodes), dtype=np.int32), units))


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece."""
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks or [pa.nulls(0, column.type)])


def _repeated(values: pa.Array, index: Any) -> pa.Array:
    """Values by their index."""
    if values.type == pa.bool_():
        return pa.array(np.asarray(values)[index])
    coded = values.dictionary_encode()
    at = np.asarray(coded.indices.fill_null(0)).astype(np.int32)[index]
    missing = np.asarray(values.is_null())[index] if values.null_count else None
    return pa.DictionaryArray.from_arrays(pa.array(at, mask=missing), coded.dictionary)


def placed_values(values: pa.Array, at: Any, size: int, otherwise: Any) -> pa.Array:
    """Values at their positions among `size`; the others are `otherwise`, or null."""
    words = values.dictionary if pa.types.is_dictionary(values.type) else None
    numbers = values.indices if words is not None else values
    if words is not None and otherwise is not None and otherwise not in words.to_pylist():
        # A statement without any row has no words either.
        words = pa.concat_arrays([words, pa.array([otherwise], words.type)])
    if numbers.null_count:
        is_known = np.asarray(numbers.is_valid())
        at, numbers = at[is_known], numbers.drop_null()
    target = np.zeros(size, numbers.to_numpy(zero_copy_only=False).dtype)
    missing = None
    if otherwise is not None:
        target[:] = words.index(pa.scalar(otherwise, words.type)).as_py() if words is not None else otherwise
    else:
        missing = np.ones(size, bool)
        missing[at] = False
    target[at] = numbers.to_numpy(zero_copy_only=False)
    if words is None:
        return pa.array(target, mask=missing)
    # Parquet's statistics speak of every word of a dictionary: it has those that stand here, and no others.
    is_used = np.zeros(len(words), bool)
    is_used[target if missing is None else target[at]] = True
    if is_used.any():
        target = (np.cumsum(is_used) - 1).astype(target.dtype)[target]
    return pa.DictionaryArray.from_arrays(pa.array(target, mask=missing), words.filter(pa.array(is_used)))
