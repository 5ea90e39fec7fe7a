-- fails: figures came in, but no region has a score at the root
insert into finding
select
    'no_index' as "check",
    root.node_code as subject,
    cast(sent.figures as varchar) as observed,
    cast(null as varchar) as expected
from node as root
cross join (
    select
        (select count(*) from reported as told where told.status <> 'imputed')
        + (select count(*) from entered) as figures
) as sent
where
    root.parent_key is null
    and not exists (
        select result.unit_key
        from node_result as result
        where result.node_key = root.node_key
    )
