-- fails: a node with min-max normalisation that has the same value everywhere
insert into finding
select
    'no_variation' as "check",
    population.region_level || ' / ' || population.approach || ' / ' || node.node_code as subject,
    cast(bound.lowest as varchar) as observed,
    cast(null as varchar) as expected
from node_bound as bound
inner join population on bound.population_key = population.population_key
inner join node on bound.node_key = node.node_key
inner join node_scaling as scaling
    on bound.population_key = scaling.population_key and bound.node_key = scaling.node_key
where node.normalisation = 'min_max' and scaling.basis = 'derived' and scaling.lowest = scaling.highest
