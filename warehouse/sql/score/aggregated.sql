-- grain: unit x node of the level at hand with a known child; aggregated, not yet normalised
create or replace view level_raw as
select
    level_sum.unit_key,
    level_sum.node_key,
    case
        when node.children_weight_units is null then null
        when node.missing = 'complete' and level_sum.children_present < node.children_expected then null
        when node.aggregation = 'arithmetic_mean' then level_sum.total / level_sum.weight_present
        when node.aggregation = 'sum'
            then level_sum.total / node.weight_scale * node.children_weight_units / level_sum.weight_present
        when level_sum.lowest > 0 then exp(level_sum.total / level_sum.weight_present)
        when level_sum.lowest = 0 then 0
    end as value,
    level_sum.children_present,
    level_sum.weight_present
from level_sum
inner join node on level_sum.node_key = node.node_key
