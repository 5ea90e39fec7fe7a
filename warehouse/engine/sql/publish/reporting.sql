-- grain: region x approach whose office is to report; how much of what is required it reported
with
leaf as (
    select distinct
        population_key,
        node_key
    from required_leaf
),

expected as (
    select
        population_key,
        count(*) as leaves,
        bitstring_agg(node_key, 1, $node_count) as nodes
    from leaf
    group by population_key
),

exempt as (
    select
        not_applicable.unit_key,
        count(*) as leaves
    from not_applicable
    inner join unit on not_applicable.unit_key = unit.unit_key
    inner join leaf on unit.population_key = leaf.population_key and not_applicable.node_key = leaf.node_key
    group by not_applicable.unit_key
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
    expected.leaves - coalesce(exempt.leaves, 0) as indicators_expected,
    cast(coalesce(bit_count(report.reported_nodes & expected.nodes), 0) as bigint) as indicators_reported,
    cast(coalesce(bit_count(report.zero_nodes & expected.nodes), 0) as bigint) as indicators_reported_zero,
    cast(coalesce(bit_count(report.imputed_nodes & expected.nodes), 0) as bigint) as indicators_imputed,
    indicators_expected - indicators_reported - indicators_imputed as indicators_missing,
    cast(coalesce(bit_count(report.evidenced_nodes & expected.nodes), 0) as bigint) as indicators_evidenced,
    answered.unit_key is null as is_silent,
    cast($is_synthetic as boolean) as is_synthetic,
    $snapshot_id as snapshot_id
from unit
inner join expected on unit.population_key = expected.population_key
left join report on unit.unit_key = report.unit_key
left join exempt on unit.unit_key = exempt.unit_key
left join answered on unit.unit_key = answered.unit_key
order by unit.unit_key
