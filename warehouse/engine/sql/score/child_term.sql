-- grain: node of the level below; what exact terms of it and its siblings are lifted by: the power of two up to which
-- the sum of all children still fits 64 bits; and between which scores it lies
insert into child_term
with
reach as (
    select
        result.node_key,
        min(result.score) as lowest,
        max(result.score) as highest,
        min(result.score) filter (where result.score > 0) as lowest_positive
    from node_result as result
    inner join node on result.node_key = node.node_key
    where node.node_level = $node_level - 1
    group by result.node_key
)

select
    child.node_key,
    child.parent_key,
    child.weight_units,
    reach.lowest,
    reach.highest,
    exact_scale(parent.children_expected * max(greatest(
        abs(weighted_term(parent.aggregation, reach.lowest, child.weight_units)),
        -- a mean of positive scores only has no term for the lowest of all
        abs(weighted_term(parent.aggregation, reach.lowest_positive, child.weight_units)),
        abs(weighted_term(parent.aggregation, reach.highest, child.weight_units))
    )) over (partition by child.parent_key)) as scale
from reach
inner join node as child on reach.node_key = child.node_key
inner join node as parent on child.parent_key = parent.node_key
