-- grain: unit x node of the level; rolled-up scores laid in: they beat computed ones, entered ones beat them
create or replace table level_score as
select
    coalesce(s.unit_key, rolled.unit_key) as unit_key,
    coalesce(s.node_key, rolled.node_key) as node_key,
    case when s.origin = 'entered' then s.score else coalesce(rolled.score, s.score) end as score,
    s.computed_score,
    case when s.origin = 'entered' or rolled.score is null then s.origin else 'rolled_up' end as origin,
    coalesce(s.children_present, 0) as children_present,
    s.weight_present,
    s.factor
from level_score as s
full outer join level_rolled as rolled on s.unit_key = rolled.unit_key and s.node_key = rolled.node_key
