-- grain: population x node, filled level by level; how many values are known before they are normalised, the lowest and
-- the highest
create or replace table node_bound (
    population_key integer,
    node_key integer,
    n bigint,
    lowest double,
    highest double
)
