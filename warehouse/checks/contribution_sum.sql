-- fails: a computed score that the contributions of its children do not add up to
insert into finding
select
    'contribution_sum' as "check",
    unit.label || ' / ' || node.node_code as subject,
    cast(sum(contribution.contribution) as varchar) as observed,
    cast(any_value(result.score) as varchar) as expected
from node_contribution as contribution
inner join node_result as result
    on contribution.unit_key = result.unit_key and contribution.parent_key = result.node_key
inner join node on contribution.parent_key = node.node_key
inner join unit on contribution.unit_key = unit.unit_key
group by contribution.unit_key, unit.label, node.node_code
having abs(sum(contribution.contribution) - any_value(result.score)) > 1e-9 * greatest(1, abs(any_value(result.score)))
