-- grain: population x node, filled level by level; what values are turned, shifted, divided by and stretched to
create or replace table node_scaling (
    population_key smallint,
    node_key smallint,
    direction integer,
    shift double,
    span double,
    height double,
    base double,
    factor double
)
