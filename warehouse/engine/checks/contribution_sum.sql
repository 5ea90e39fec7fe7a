-- fails: a computed score that the contributions of its children do not add up to (looked at block by block of nodes)
insert into finding
select
    'contribution_sum' as "check",
    unit.label || ' / ' || node.node_code as subject,
    cast(weighted.total * parent.share as varchar) as observed,
    cast(parent.score as varchar) as expected
from (
    select
        result.unit_key,
        child.parent_key,
        sum(result.score * child.weight_units) as total
    from node_result as result
    inner join node as child on result.node_key = child.node_key
    where child.parent_key between $first_node and $last_node
    group by result.unit_key, child.parent_key
) as weighted
inner join node_share as parent on weighted.unit_key = parent.unit_key and weighted.parent_key = parent.node_key
inner join node on parent.node_key = node.node_key
inner join unit on parent.unit_key = unit.unit_key
where
    parent.node_key between $first_node and $last_node
    and abs(weighted.total * parent.share - parent.score) > 1e-9 * greatest(1, abs(parent.score))
