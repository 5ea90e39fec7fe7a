-- grain: region x approach; the root of the tree, also where it is not known
with
leaf_count as (
    select count(*) as leaves
    from node
    where children_expected = 0
),

report as (
    select
        unit_key,
        count(*) as reports,
        count(*) filter (where is_evidenced) as evidenced
    from reported
    where status <> 'imputed'
    group by unit_key
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
    cast(result.origin as varchar) as origin,
    result.score,
    case when result.origin = 'computed' then result.score else beaten.computed_score end as computed_score,
    cast(standing.place as bigint) as rank,
    case when standing.place is not null then spread.n end as regions_ranked,
    cast(standing.category as varchar) as category,
    leaf_count.leaves as indicators_expected,
    coalesce(report.reports, 0) as indicators_reported,
    coalesce(report.evidenced, 0) as indicators_evidenced,
    cast($is_synthetic as boolean) as is_synthetic,
    $snapshot_id as snapshot_id
from unit
cross join leaf_count
inner join node on node.parent_key is null
inner join spread on unit.population_key = spread.population_key and node.node_key = spread.node_key
left join node_result as result on unit.unit_key = result.unit_key and node.node_key = result.node_key
left join node_beaten as beaten on unit.unit_key = beaten.unit_key and node.node_key = beaten.node_key
left join node_standing as standing on unit.unit_key = standing.unit_key and node.node_key = standing.node_key
left join report on unit.unit_key = report.unit_key
order by unit.unit_key
