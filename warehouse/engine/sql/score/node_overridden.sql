-- grain: unit x node with a computed score that an entered or rolled-up one beat, filled level by level
create or replace table node_overridden (
    unit_key integer,
    node_key smallint,
    computed_score double
)
