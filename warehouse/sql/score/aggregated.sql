-- grain: unit x node of the level at hand with a known child; aggregated, not yet normalised
create or replace view level_raw as
with
family as (
    select
        parent_key as node_key,
        any_value(scale) as scale
    from level_reach
    group by parent_key
),

exempt as (
    select
        place.unit_key,
        child.parent_key as node_key,
        count(*) as children
    from not_applicable as place
    inner join node as child on place.node_key = child.node_key
    group by place.unit_key, child.parent_key
),

lowered as (
    select
        node_sum.*,
        node_sum.total / family.scale as weighted_sum
    from node_sum
    inner join family on node_sum.node_key = family.node_key
)

select
    lowered.population_key,
    lowered.unit_key,
    lowered.node_key,
    case
        when node.children_weight_units is null then null
        when
            node.missing = 'complete'
            and lowered.children_present < node.children_expected - coalesce(exempt.children, 0)
            then null
        when node.aggregation = 'arithmetic_mean' then lowered.weighted_sum / lowered.weight_present
        when node.aggregation = 'sum'
            then lowered.weighted_sum / node.weight_scale * node.children_weight_units / lowered.weight_present
        when lowered.lowest > 0 then exp(lowered.weighted_sum / lowered.weight_present)
        when lowered.lowest = 0 then 0
    end as value
from lowered
inner join node on lowered.node_key = node.node_key
left join exempt on lowered.unit_key = exempt.unit_key and lowered.node_key = exempt.node_key
