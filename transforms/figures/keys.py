"""The unit-node key of a figure, with and without its extract."""

import polars as pl

UNIT_NODE = ["unit_key", "node_key"]
UNIT_NODE_EXTRACT = [*UNIT_NODE, "source", "extract_sha256"]
# Rows that are no figures by themselves, but parts of a sum.
IS_PART = pl.col("is_event") | pl.col("is_summed")
