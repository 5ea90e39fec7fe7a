-- grain: unit x aggregated node with a known child, filled level by level; its children together (`total` lifted by
-- the scale of the node)
create or replace table node_sum (
    population_key smallint,
    unit_key integer,
    node_key smallint,
    children_present smallint,
    weight_present bigint,
    lowest double,
    total bigint
)
