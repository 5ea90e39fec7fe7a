-- grain: region x approach whose office is asked; how much of what it is asked for it reported
with
leaf as (
    select distinct
        population_key,
        node_key
    from asked
),

expected as (
    select
        population_key,
        count(*) as leaves
    from leaf
    group by population_key
),

told as (
    select
        reported.unit_key,
        count(*) filter (where reported.status <> 'imputed') as reports,
        count(*) filter (where reported.status = 'reported_zero') as zeros,
        count(*) filter (where reported.status = 'imputed') as imputed,
        count(*) filter (where reported.status <> 'imputed' and reported.is_evidenced) as evidenced
    from reported
    inner join leaf on reported.population_key = leaf.population_key and reported.node_key = leaf.node_key
    group by reported.unit_key
),

exempt as (
    select
        place.unit_key,
        count(*) as leaves
    from not_applicable as place
    inner join unit on place.unit_key = unit.unit_key
    inner join leaf on unit.population_key = leaf.population_key and place.node_key = leaf.node_key
    group by place.unit_key
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
    expected.leaves - coalesce(exempt.leaves, 0) as indicators_expected,
    coalesce(told.reports, 0) as indicators_reported,
    coalesce(told.zeros, 0) as indicators_reported_zero,
    coalesce(told.imputed, 0) as indicators_imputed,
    indicators_expected - coalesce(told.reports, 0) - coalesce(told.imputed, 0) as indicators_missing,
    coalesce(told.evidenced, 0) as indicators_evidenced,
    answered.unit_key is null as is_silent,
    cast($is_synthetic as boolean) as is_synthetic,
    $snapshot_id as snapshot_id
from unit
inner join expected on unit.population_key = expected.population_key
left join told on unit.unit_key = told.unit_key
left join exempt on unit.unit_key = exempt.unit_key
left join answered on unit.unit_key = answered.unit_key
order by unit.unit_key
