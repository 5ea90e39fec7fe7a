-- grain: population x node; the bounds of the level at hand are added
insert into node_bound
select
    unit.population_key,
    raw.node_key,
    min(raw.value * node.direction) as lowest,
    max(raw.value * node.direction) as highest
from level_raw as raw
inner join unit on raw.unit_key = unit.unit_key
inner join population on unit.population_key = population.population_key
inner join node on raw.node_key = node.node_key
where node.normalisation <> 'none' and raw.value is not null and not population.is_roll_up
group by unit.population_key, raw.node_key
