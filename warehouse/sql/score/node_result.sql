-- grain: unit x node; the scores of all levels, filled level by level
create or replace table node_result (
    population_key smallint,
    unit_key integer,
    node_key smallint,
    node_level smallint,
    score double,
    computed_score double,
    origin origin,
    children_present smallint
)
