-- grain: population x node; what was observed at the level at hand is added: how many values are known, the lowest and
-- the highest
insert into node_bound
select
    raw.population_key,
    raw.node_key,
    count(*) as n,
    min(raw.value) as lowest,
    max(raw.value) as highest
from node_value as raw
inner join population on raw.population_key = population.population_key
where raw.node_level = $node_level and raw.value is not null and not population.is_roll_up
group by raw.population_key, raw.node_key
