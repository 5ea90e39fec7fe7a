-- grain: region x approach x node; every node of the tree, also where it is not known
select
    $edition as edition,
    $period as period,
    cast($as_of as date) as as_of,
    unit.region_level,
    unit.region_code,
    unit.region_name,
    unit.parent_region_code,
    unit.approach,
    node.node_code,
    node.parent_node_code,
    node.node_level,
    result.score,
    result.computed_score,
    result.origin,
    node.weight,
    node.effective_weight,
    case
        when parent_result.origin <> 'computed' then null
        when parent.aggregation = 'arithmetic_mean'
            then result.score * node.weight_units / parent_result.weight_present * parent_result.factor
        when parent.aggregation = 'sum'
            then
                result.score * node.weight_units / node.weight_scale
                * parent.children_weight_units / parent_result.weight_present * parent_result.factor
    end as contribution,
    standing.place as rank,
    standing.category,
    node.children_expected,
    coalesce(result.children_present, 0) as children_present,
    cast($is_synthetic as boolean) as is_synthetic,
    $snapshot_id as snapshot_id
from unit
cross join node
left join node_result as result on unit.unit_key = result.unit_key and node.node_key = result.node_key
left join node_standing as standing on unit.unit_key = standing.unit_key and node.node_key = standing.node_key
left join node as parent on node.parent_key = parent.node_key
left join node_result as parent_result
    on unit.unit_key = parent_result.unit_key and node.parent_key = parent_result.node_key
order by unit.unit_key, node.node_key
