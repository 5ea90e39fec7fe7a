-- grain: region x approach x leaf; what was reported, and the score it became; block by block of units
with
result as (
    select *
    from node_result
    where node_level = 1 and unit_key between $first_unit and $last_unit
),

stated as (
    select *
    from reported
    where unit_key between $first_unit and $last_unit
)

select
    $edition as edition,
    $period as period,
    cast($as_of as date) as as_of,
    unit.region_level,
    unit.region_code,
    unit.approach,
    node.node_code,
    stated.raw_value,
    stated.treated_value,
    result.score as normalised_value,
    coalesce(stated.status, 'missing') as status,
    coalesce(stated.extract_count, 0) as extract_count,
    cast($is_synthetic as boolean) as is_synthetic,
    $snapshot_id as snapshot_id
from unit
inner join node on node.children_expected = 0
left join stated on unit.unit_key = stated.unit_key and node.node_key = stated.node_key
left join result on unit.unit_key = result.unit_key and node.node_key = result.node_key
where unit.unit_key between $first_unit and $last_unit
order by unit.unit_key, node.node_key
