-- fails: a score outside the edition's scale, or one that is not a number
insert into finding
select
    'score_out_of_scale' as "check",
    unit.region_code || ' / ' || unit.approach || ' / ' || node.node_code as subject,
    cast(result.score as varchar) as observed,
    $scale_lowest || ' to ' || $scale_highest as expected
from node_result as result
inner join unit on result.unit_key = unit.unit_key
inner join node on result.node_key = node.node_key
where
    result.score is not null
    and not coalesce(result.score between $scale_lowest - 1e-9 and $scale_highest + 1e-9, false)
