-- grain: population x node that is normalised, filled level by level; lowest and highest value, in the node's direction
create or replace table node_bound (
    population_key integer,
    node_key integer,
    lowest double,
    highest double
)
