-- grain: unit x node that is aggregated, filled level by level; the weights of its known children, and what its children's
-- weighted sum was multiplied with to make its score (null where normalisation did more)
create or replace table node_sum (
    unit_key integer,
    node_key smallint,
    weight_present bigint,
    factor double
)
