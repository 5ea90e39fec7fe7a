-- fails: figures whose region or node does not exist
insert into finding
select
    'orphan_row' as "check",
    stated.name as subject,
    cast(count(*) as varchar) as observed,
    '0' as expected
from (
    select
        'reported' as name,
        unit_key,
        node_key
    from reported
    union all
    select
        'entered' as name,
        unit_key,
        node_key
    from entered
) as stated
left join unit on stated.unit_key = unit.unit_key
left join node on stated.node_key = node.node_key
where unit.unit_key is null or node.node_key is null
group by stated.name
