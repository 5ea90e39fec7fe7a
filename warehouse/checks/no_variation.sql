-- fails: a leaf with min-max normalisation that has the same value everywhere
insert into finding
select
    'no_variation' as "check",
    population.region_level || ' / ' || population.approach || ' / ' || node.node_code as subject,
    cast(min(reported.treated_value) as varchar) as observed,
    cast(null as varchar) as expected
from reported
inner join unit on reported.unit_key = unit.unit_key
inner join population on unit.population_key = population.population_key
inner join node on reported.node_key = node.node_key
where node.normalisation = 'min_max' and not reported.is_score and not population.is_roll_up
group by population.region_level, population.approach, node.node_code
having min(reported.treated_value) = max(reported.treated_value)
