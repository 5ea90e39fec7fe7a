-- grain: region x approach x leaf; what was reported, and the score it became
select
    $edition as edition,
    $period as period,
    cast($as_of as date) as as_of,
    unit.region_level,
    unit.region_code,
    unit.approach,
    node.node_code,
    reported.raw_value,
    reported.treated_value,
    result.score as normalised_value,
    coalesce(reported.status, 'missing') as status,
    coalesce(reported.extract_count, 0) as extract_count,
    cast($is_synthetic as boolean) as is_synthetic,
    $snapshot_id as snapshot_id
from unit
inner join node on node.children_expected = 0
left join reported on unit.unit_key = reported.unit_key and node.node_key = reported.node_key
left join node_result as result on unit.unit_key = result.unit_key and node.node_key = result.node_key
order by unit.unit_key, node.node_key
