-- fails: a score that lies where no published bound decides its category
insert into finding
select
    'unclassified' as "check",
    unit.label || ' / ' || node.node_code as subject,
    cast(round(result.score, 6) as varchar) as observed,
    cast(null as varchar) as expected
from node_rank as ranking
inner join unit on ranking.unit_key = unit.unit_key
inner join node on ranking.node_key = node.node_key
inner join node_result as result on ranking.unit_key = result.unit_key and ranking.node_key = result.node_key
where
    ranking.category is null
    and (unit.population_key, ranking.node_key) in (
        select (bound.population_key, bound.node_key) from category_bound as bound
    )
