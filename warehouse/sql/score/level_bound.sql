-- grain: population x node; the bounds of the level at hand are added
insert into node_bound
select
    raw.population_key,
    raw.node_key,
    min(raw.value * node.direction) as lowest,
    max(raw.value * node.direction) as highest
from level_raw as raw
inner join population on raw.population_key = population.population_key
inner join node on raw.node_key = node.node_key
where node.normalisation <> 'none' and raw.value is not null and not population.is_roll_up
group by raw.population_key, raw.node_key
