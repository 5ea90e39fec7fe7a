-- fails: more than one score, or more than one category, for a region, approach and node
insert into finding
select
    'duplicate_grain' as "check",
    counted.name || ' / ' || unit.label || ' / ' || node.node_code as subject,
    cast(counted.copies as varchar) as observed,
    '1' as expected
from (
    select
        'node_score' as name,
        unit_key,
        node_key,
        count(*) as copies
    from node_result
    group by unit_key, node_key
    having count(*) > 1
    union all
    select
        'category' as name,
        unit_key,
        node_key,
        count(*) as copies
    from node_standing
    group by unit_key, node_key
    having count(*) > 1
) as counted
inner join unit on counted.unit_key = unit.unit_key
inner join node on counted.node_key = node.node_key
