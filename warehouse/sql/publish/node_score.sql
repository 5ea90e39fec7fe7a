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
    contribution.contribution,
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
left join node_contribution as contribution
    on unit.unit_key = contribution.unit_key and node.node_key = contribution.node_key
order by unit.unit_key, node.node_key
