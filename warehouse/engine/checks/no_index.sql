-- fails: figures came in, but no region has a score at the root
insert into finding
with
sent as (
    select unit_key
    from reported
    where status <> 'imputed'
    union all
    select unit_key
    from entered
)

select
    'no_index' as "check",
    root.node_code as subject,
    cast((select count(*) from sent) as varchar) as observed,
    cast(null as varchar) as expected
from node as root
where
    root.parent_key is null
    and not exists (
        select result.unit_key
        from node_result as result
        where result.node_key = root.node_key
    )
