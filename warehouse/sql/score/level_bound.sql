-- grain: population x node of the level that is normalised; its lowest and highest value, in the node's direction
create or replace table level_bound as
select
    unit.population_key,
    raw.node_key,
    min(raw.value * node.direction) as lowest,
    max(raw.value * node.direction) as highest
from level_raw as raw
inner join unit on raw.unit_key = unit.unit_key
inner join node on raw.node_key = node.node_key
where node.normalisation <> 'none' and raw.value is not null
group by unit.population_key, raw.node_key
