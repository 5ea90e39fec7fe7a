-- grain: unit x node of the level above the one at hand with a known child; aggregated, not yet normalised
create or replace table level_raw as
with
term as (
    select
        s.unit_key,
        child.parent_key as node_key,
        child.weight_units,
        s.score,
        child.weight_units * case
            when parent.aggregation <> 'geometric_mean' then s.score
            when s.score > 0 then ln(s.score)
        end as term
    from level_score as s
    inner join node as child on s.node_key = child.node_key
    inner join node as parent on child.parent_key = parent.node_key
    where s.score is not null
),

scale as (
    select
        node_key,
        exact_scale(max(abs(term))) as scale
    from term
    group by node_key
),

total as (
    select
        term.unit_key,
        term.node_key,
        count(*) as children_present,
        sum(term.weight_units) as weight_present,
        min(term.score) as lowest,
        sum(cast(round(term.term * scale.scale) as bigint)) / any_value(scale.scale) as total
    from term
    inner join scale on term.node_key = scale.node_key
    group by term.unit_key, term.node_key
)

select
    total.unit_key,
    total.node_key,
    case
        when node.children_weight_units is null then null
        when node.missing = 'complete' and total.children_present < node.children_expected then null
        when node.aggregation = 'arithmetic_mean' then total.total / total.weight_present
        when node.aggregation = 'sum'
            then total.total / node.weight_scale * node.children_weight_units / total.weight_present
        when total.lowest > 0 then exp(total.total / total.weight_present)
        when total.lowest = 0 then 0
    end as value,
    total.children_present,
    total.weight_present
from total
inner join node on total.node_key = node.node_key
