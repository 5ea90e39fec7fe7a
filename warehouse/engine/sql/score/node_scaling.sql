-- grain: population x node, filled level by level; what values are turned, shifted, divided by and stretched to, and
-- the ends that scores do not leave. `lowest` and `highest` are the bounds behind it, `basis` where they come from
-- (declared; derived from the `n` values known, of which `n_needed` are needed)
create or replace table node_scaling (
    population_key smallint,
    node_key smallint,
    direction integer,
    shift double,
    span double,
    height double,
    base double,
    factor double,
    score_floor double,
    score_ceiling double,
    lowest double,
    highest double,
    n bigint,
    n_needed integer,
    basis varchar,
    evidence varchar
)
