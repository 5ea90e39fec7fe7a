-- fails: a score that lies where no published bound decides its category
insert into finding
select
    'unclassified' as "check",
    unit.label || ' / ' || node.node_code as subject,
    cast(round(result.score, 6) as varchar) as observed,
    cast(null as varchar) as expected
from node_standing as standing
inner join unit on standing.unit_key = unit.unit_key
inner join node on standing.node_key = node.node_key
inner join node_result as result on standing.unit_key = result.unit_key and standing.node_key = result.node_key
where
    standing.category is null
    and (unit.population_key, standing.node_key) in (
        select (bound.population_key, bound.node_key) from category_bound as bound
    )
