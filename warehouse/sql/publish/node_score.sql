-- grain: region x approach x node; every node of the tree, also where it is not known; block by block of units
with
result as (
    select *
    from node_result
    where unit_key between $first_unit and $last_unit
),

standing as (
    select *
    from node_standing
    where unit_key between $first_unit and $last_unit
),

contribution as (
    select *
    from node_contribution($first_unit, $last_unit)
)

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
    cast(result.origin as varchar) as origin,
    node.weight,
    node.effective_weight,
    contribution.contribution,
    cast(case when population.is_ranked and spread.is_complete then standing.place end as bigint) as rank,
    cast(standing.category as varchar) as category,
    node.children_expected,
    cast(coalesce(result.children_present, 0) as integer) as children_present,
    cast($is_synthetic as boolean) as is_synthetic,
    $snapshot_id as snapshot_id
from unit
cross join node
inner join population on unit.population_key = population.population_key
inner join spread on unit.population_key = spread.population_key and node.node_key = spread.node_key
left join result on unit.unit_key = result.unit_key and node.node_key = result.node_key
left join standing on unit.unit_key = standing.unit_key and node.node_key = standing.node_key
left join contribution on unit.unit_key = contribution.unit_key and node.node_key = contribution.node_key
where unit.unit_key between $first_unit and $last_unit
order by unit.unit_key, node.node_key
