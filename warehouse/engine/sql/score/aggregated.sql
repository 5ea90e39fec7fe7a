-- grain: unit x node of the level at hand with a known child; aggregated, not yet normalised
create or replace view level_raw as
with
family as (
    select
        parent_key as node_key,
        any_value(scale) as scale,
        min(lowest) as lowest_score,
        max(highest) as highest_score
    from level_coverage
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
        family.lowest_score,
        family.highest_score,
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
        when node.aggregation = 'arithmetic_mean'
            -- a mean lies between what it is the mean of, also where its last digit is rounded
            then
                greatest(
                    least(lowered.weighted_sum / lowered.weight_present, lowered.highest_score), lowered.lowest_score
                )
        when node.aggregation = 'sum'
            then lowered.weighted_sum / node.weight_scale * node.children_weight_units / lowered.weight_present
        when node.aggregation <> 'geometric_mean' then error('unknown aggregation: ' || node.aggregation)
        when lowered.lowest > 0
            then
                greatest(
                    least(exp(lowered.weighted_sum / lowered.weight_present), lowered.highest_score),
                    lowered.lowest_score
                )
        when lowered.lowest = 0 then 0
    end as value
from lowered
inner join node on lowered.node_key = node.node_key
left join exempt on lowered.unit_key = exempt.unit_key and lowered.node_key = exempt.node_key
