-- grain: unit x node that is aggregated, filled level by level; the weights of its known children, and what
-- normalisation multiplied their sum by (null where it did more)
create or replace table node_sum (
    unit_key integer,
    node_key smallint,
    weight_present bigint,
    factor double
)
