-- grain: unit x node whose score is known; filled level by level, kept narrow because it is large
create or replace table node_result (
    population_key smallint,
    unit_key integer,
    node_key smallint,
    score double,
    origin origin
)
