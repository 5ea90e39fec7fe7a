-- fails: a score outside the domain of its node (the edition's scale, or its unit), or one that is not a number
insert into finding
select
    'score_out_of_scale' as "check",
    unit.label || ' / ' || node.node_code as subject,
    cast(result.score as varchar) as observed,
    coalesce(cast(node.score_lowest as varchar), '...') || ' - ' || coalesce(cast(node.score_highest as varchar), '...')
        as expected
from node_result as result
inner join unit on result.unit_key = unit.unit_key
inner join node on result.node_key = node.node_key
where
    not isfinite(result.score)
    or result.score < node.score_lowest - 1e-9
    or result.score > node.score_highest + 1e-9
