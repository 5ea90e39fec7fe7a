-- grain: unit x aggregated node with a known child; what a child's weighted score is multiplied by to be its
-- contribution (null where the node is not computed as a mean or sum, or normalisation did more than multiply)
create or replace view node_share as
select
    node_sum.unit_key,
    node_sum.node_key,
    node_sum.children_present,
    result.score,
    case
        when result.origin <> 'computed' then null
        when node.aggregation = 'arithmetic_mean' then scaling.factor / node_sum.weight_present
        when node.aggregation = 'sum'
            then scaling.factor / node_sum.weight_present * node.children_weight_units / node.weight_scale
    end as share
from node_sum
inner join node on node_sum.node_key = node.node_key
inner join node_scaling as scaling
    on node_sum.population_key = scaling.population_key and node_sum.node_key = scaling.node_key
left join node_result as result on node_sum.unit_key = result.unit_key and node_sum.node_key = result.node_key
