-- grain: unit x node whose place or category counts, filled block by block
create or replace table node_rank (
    unit_key integer,
    node_key smallint,
    place integer,
    category category
)
