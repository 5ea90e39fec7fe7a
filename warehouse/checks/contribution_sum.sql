-- fails: a computed score that the contributions of its children do not add up to (looked at block by block of units)
insert into finding
select
    'contribution_sum' as "check",
    unit.label || ' / ' || node.node_code as subject,
    cast(added.total as varchar) as observed,
    cast(added.score as varchar) as expected
from (
    select
        unit_key,
        parent_key,
        sum(contribution) as total,
        any_value(parent_score) as score
    from node_contribution($first_unit, $last_unit)
    group by unit_key, parent_key
) as added
inner join node on added.parent_key = node.node_key
inner join unit on added.unit_key = unit.unit_key
where abs(added.total - added.score) > 1e-9 * greatest(1, abs(added.score))
