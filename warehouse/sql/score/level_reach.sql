-- grain: node that aggregates the level below; the power of two that lifts its terms so far that a sum over all its
-- children still fits 64 bits
create or replace table level_reach as
with
reach as (
    select
        node_key,
        min(score) as lowest,
        max(score) as highest,
        min(score) filter (where score > 0) as lowest_positive
    from node_result
    where node_level = $node_level - 1
    group by node_key
)

select
    child.parent_key as node_key,
    exact_scale(parent.children_expected * max(
        child.weight_units * case
            when parent.aggregation <> 'geometric_mean' then greatest(abs(reach.lowest), abs(reach.highest))
            else greatest(abs(ln(reach.lowest_positive)), abs(ln(case when reach.highest > 0 then reach.highest end)))
        end
    )) as scale
from reach
inner join node as child on reach.node_key = child.node_key
inner join node as parent on child.parent_key = parent.node_key
group by child.parent_key, parent.children_expected
