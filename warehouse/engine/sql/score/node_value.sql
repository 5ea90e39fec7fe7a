-- grain: unit x node with a value that is not yet normalised: of a leaf what was reported (finished scores enter later,
-- beside it), of another node what its known children come to
create or replace view node_value as
with
family as (
    select
        parent_key as node_key,
        any_value(scale) as scale,
        min(lowest) as lowest,
        max(highest) as highest
    from child_term
    group by parent_key
),

exempt as (
    select
        not_applicable.unit_key,
        child.parent_key as node_key,
        count(*) as children
    from not_applicable
    inner join node as child on not_applicable.node_key = child.node_key
    group by not_applicable.unit_key, child.parent_key
)

select
    population_key,
    unit_key,
    node_key,
    1 as node_level,
    treated_value as value
from reported
where not is_score and treated_value is not null
union all
select
    child_sum.population_key,
    child_sum.unit_key,
    child_sum.node_key,
    node.node_level,
    case
        when node.children_weight_units is null then null
        when
            node.missing = 'complete'
            and child_sum.children_present < node.children_expected - coalesce(exempt.children, 0)
            then null
        else combined(
            node, child_sum.total / family.scale, child_sum.weight_present, child_sum.lowest,
            family.lowest, family.highest
        )
    end as value
from child_sum
inner join family on child_sum.node_key = family.node_key
inner join node on child_sum.node_key = node.node_key
left join exempt on child_sum.unit_key = exempt.unit_key and child_sum.node_key = exempt.node_key;

-- check orphan_row: figures whose region or node does not exist
insert into finding
select
    'orphan_row' as "check",
    entered_rank.name as subject,
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
) as entered_rank
left join unit on entered_rank.unit_key = unit.unit_key
left join node on entered_rank.node_key = node.node_key
where unit.unit_key is null or node.node_key is null
group by entered_rank.name
