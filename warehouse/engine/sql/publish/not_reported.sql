-- grain: region x approach x leaf that its office is required to report and did not; block by block of units
with
leaf as (
    select distinct
        population_key,
        node_key
    from required_leaf
),

answered as (
    select unit_key
    from report
    where reports > 0
    union
    select unit_key
    from responding
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
    node.name_id,
    node.name_en,
    case when has_node(report.imputed_nodes, node.node_key) then 'imputed' else 'missing' end as status,
    answered.unit_key is null as is_silent,
    cast($is_synthetic as boolean) as is_synthetic,
    $snapshot_id as snapshot_id
from unit
inner join leaf on unit.population_key = leaf.population_key
inner join node on leaf.node_key = node.node_key
left join report on unit.unit_key = report.unit_key
left join answered on unit.unit_key = answered.unit_key
where
    unit.unit_key between $first_unit and $last_unit
    and not has_node(report.reported_nodes, node.node_key)
    and (unit.unit_key, node.node_key) not in (
        select (exempt.unit_key, exempt.node_key) from not_applicable as exempt
    )
order by unit.unit_key, node.node_key
