-- fails: a ranked level and approach with some, but not all, scores of a node
insert into finding
select
    'coverage_below' as "check",
    population.region_level || ' / ' || population.approach || ' / ' || node.node_code as subject,
    cast(spread.n as varchar) as observed,
    cast(population.regions as varchar) as expected
from spread
inner join population on spread.population_key = population.population_key
inner join node on spread.node_key = node.node_key
where population.is_ranked and spread.n > 0 and not spread.is_complete
