-- grain: unit x node; the scores of all levels, filled level by level
create or replace table node_result (
    unit_key integer,
    node_key integer,
    score double,
    computed_score double,
    origin varchar,
    children_present integer,
    weight_present hugeint,
    factor double
)
