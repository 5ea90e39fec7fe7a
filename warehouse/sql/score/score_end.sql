-- grain: unit x node that is not reported, or made of such; the lowest and the highest score it could have, filled
-- level by level (null where no region reported the leaf, so that nothing was seen)
create or replace table score_end (
    unit_key integer,
    node_key smallint,
    lowest double,
    highest double
)
