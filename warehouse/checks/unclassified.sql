-- fails: a score that lies where no published bound decides its category
insert into finding
select
    'unclassified' as "check",
    unit.label || ' / ' || node.node_code as subject,
    cast(round(result.score, 6) as varchar) as observed,
    cast(null as varchar) as expected
from node_result as result
inner join node_standing as standing on result.unit_key = standing.unit_key and result.node_key = standing.node_key
inner join unit on result.unit_key = unit.unit_key
inner join node on result.node_key = node.node_key
where
    standing.category is null
    and (unit.population_key, result.node_key) in (
        select (bound.population_key, bound.node_key) from category_bound as bound
    )
