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
    where status in ('reported', 'reported_zero')
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
    result.origin,
    result.score,
    result.computed_score,
    standing.place as rank,
    standing.regions_ranked,
    standing.category,
    leaf_count.leaves as indicators_expected,
    coalesce(report.reports, 0) as indicators_reported,
    coalesce(report.evidenced, 0) as indicators_evidenced,
    cast($is_synthetic as boolean) as is_synthetic,
    $snapshot_id as snapshot_id
from unit
cross join leaf_count
inner join node on node.parent_key is null
left join node_result as result on unit.unit_key = result.unit_key and node.node_key = result.node_key
left join node_standing as standing on unit.unit_key = standing.unit_key and node.node_key = standing.node_key
left join report on unit.unit_key = report.unit_key
order by unit.unit_key
