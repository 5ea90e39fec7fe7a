-- fails: a computed score that the contributions of its children do not add up to
insert into finding
select
    'contribution_sum' as "check",
    unit.label || ' / ' || parent.node_code as subject,
    cast(sum(child_result.score * child.weight_units / parent_result.weight_present * parent_result.factor) as varchar)
        as observed,
    cast(any_value(parent_result.score) as varchar) as expected
from node_result as parent_result
inner join node as parent on parent_result.node_key = parent.node_key
inner join node as child on parent.node_key = child.parent_key
inner join node_result as child_result
    on parent_result.unit_key = child_result.unit_key and child.node_key = child_result.node_key
inner join unit on parent_result.unit_key = unit.unit_key
where
    parent_result.origin = 'computed'
    and parent.aggregation = 'arithmetic_mean'
    and parent_result.factor is not null
    and child_result.score is not null
group by parent_result.unit_key, unit.label, parent.node_code
having
    abs(
        sum(child_result.score * child.weight_units / parent_result.weight_present * parent_result.factor)
        - any_value(parent_result.score)
    ) > 1e-6
