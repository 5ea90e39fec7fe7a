-- grain: region x approach x leaf that its office is asked for and did not report; block by block of units
with
leaf as (
    select distinct
        population_key,
        node_key
    from asked
),

stated as (
    select
        unit_key,
        node_key,
        status
    from reported
    where unit_key between $first_unit and $last_unit
),

answered as (
    select unit_key
    from report
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
    coalesce(stated.status, 'missing') as status,
    answered.unit_key is null as is_silent,
    cast($is_synthetic as boolean) as is_synthetic,
    $snapshot_id as snapshot_id
from unit
inner join leaf on unit.population_key = leaf.population_key
inner join node on leaf.node_key = node.node_key
left join stated on unit.unit_key = stated.unit_key and leaf.node_key = stated.node_key
left join answered on unit.unit_key = answered.unit_key
where
    unit.unit_key between $first_unit and $last_unit
    and (stated.status is null or stated.status = 'imputed')
    and (unit.unit_key, node.node_key) not in (select (place.unit_key, place.node_key) from not_applicable as place)
order by unit.unit_key, node.node_key
