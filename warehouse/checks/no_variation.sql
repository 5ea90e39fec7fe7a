-- fails: a node with min-max normalisation that has the same value everywhere
insert into finding
select
    'no_variation' as "check",
    population.region_level || ' / ' || population.approach || ' / ' || node.node_code as subject,
    cast(bound.lowest * node.direction as varchar) as observed,
    cast(null as varchar) as expected
from node_bound as bound
inner join population on bound.population_key = population.population_key
inner join node on bound.node_key = node.node_key
where node.normalisation = 'min_max' and bound.lowest = bound.highest
