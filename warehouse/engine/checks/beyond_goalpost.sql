-- fails: values beyond a declared bound, which count as the bound
insert into finding
select
    'beyond_goalpost' as "check",
    population.region_level || ' / ' || population.approach || ' / ' || node.node_code as subject,
    cast(bound.lowest as varchar) || ' - ' || cast(bound.highest as varchar) as observed,
    coalesce(cast(scaling.lowest as varchar), '...') || ' - ' || cast(scaling.highest as varchar) as expected
from node_scaling as scaling
inner join node_bound as bound
    on scaling.population_key = bound.population_key and scaling.node_key = bound.node_key
inner join population on scaling.population_key = population.population_key
inner join node on scaling.node_key = node.node_key
where scaling.basis = 'declared' and (bound.lowest < scaling.lowest or bound.highest > scaling.highest)
