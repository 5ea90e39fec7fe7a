-- grain: unit x node; the level is added to the result
insert into node_result
select
    unit_key,
    node_key,
    score,
    computed_score,
    origin,
    children_present,
    weight_present,
    factor
from level_score
