-- grain: unit of the block x node of the level whose score can be computed; on the edition's scale
insert into node_result
select
    raw.population_key,
    raw.unit_key,
    raw.node_key,
    scaled(raw.value, scaling) as score,
    'computed' as origin
from node_value as raw
inner join node_scaling as scaling
    on raw.population_key = scaling.population_key and raw.node_key = scaling.node_key
where
    raw.unit_key between $first_unit and $last_unit and raw.node_level = $node_level
    and raw.value is not null and scaling.span is not null;

-- check no_index: figures came in, but no region has a score at the root
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
    );

-- check duplicate_grain: more than one score for a region, approach and node (block by block of units)
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
    where unit_key between $first_unit and $last_unit
    group by unit_key, node_key
    having count(*) > 1
) as counted
inner join unit on counted.unit_key = unit.unit_key
inner join node on counted.node_key = node.node_key;

-- check score_out_of_scale: a score outside the domain of its node (the edition's scale, or its unit), or one that is
-- not a number
insert into finding
select
    'score_out_of_scale' as "check",
    unit.label || ' / ' || node.node_code as subject,
    cast(result.score as varchar) as observed,
    coalesce(cast(node.score_lowest as varchar), '...') || ' - ' || coalesce(cast(node.score_highest as varchar), '...')
        as expected
from node_result as result
inner join unit on result.unit_key = unit.unit_key
inner join node on result.node_key = node.node_key
where
    not isfinite(result.score)
    or result.score < node.score_lowest - 1e-9
    or result.score > node.score_highest + 1e-9
