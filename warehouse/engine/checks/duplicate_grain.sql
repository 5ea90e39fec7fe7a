-- fails: more than one score for a region, approach and node (looked at block by block of nodes)
insert into finding
select
    'duplicate_grain' as "check",
    unit.label || ' / ' || node.node_code as subject,
    cast(counted.copies as varchar) as observed,
    '1' as expected
from (
    select
        unit_key,
        node_key,
        count(*) as copies
    from node_result
    where node_key between $first_node and $last_node
    group by unit_key, node_key
    having count(*) > 1
) as counted
inner join unit on counted.unit_key = unit.unit_key
inner join node on counted.node_key = node.node_key
