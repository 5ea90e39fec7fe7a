-- grain: unit x node of the level at hand with a known child, filled block by block; its children together
create or replace table level_sum (
    unit_key integer,
    node_key smallint,
    children_present smallint,
    weight_present bigint,
    lowest double,
    total double
)
