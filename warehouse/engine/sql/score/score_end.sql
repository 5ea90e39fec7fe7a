-- grain: unit x node that is not reported, or made of such; the lowest and the highest score it could have, filled
-- level by level. A score that is known lies between them. Null where an end is not known: no region reported the
-- leaf, so that nothing was seen, or it rests on a figure that was entered whole
create or replace table score_end (
    unit_key integer,
    node_key smallint,
    lowest double,
    highest double
)
