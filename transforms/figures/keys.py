"""The unit-node key of a figure, with and without its extract."""

import polars as pl

UNIT_NODE = ["unit_key", "node_key"]
UNIT_NODE_EXTRACT = [*UNIT_NODE, "source", "extract_sha256"]
# Rows that are no figures by themselves, but parts of a sum.
IS_PART = pl.col("is_event") | pl.col("is_summed")
# A figure: what it is of and from where, and what it says.
FIGURE_KEY = (
    *UNIT_NODE,
    "label",
    "node_code",
    "aggregation",
    "figure_kind",
    "source",
    "precedence",
    "measure",
    "received_at",
    "extract_sha256",
)
FIGURE_VALUES = ("value", "value_sent", "correction", "reference", "is_evidenced", "sheet", "row")
ROW_INDEX = "row_index"  # numbers the applicable rows: quicker to find again than by extract, sheet and row
