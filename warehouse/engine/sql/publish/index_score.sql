-- grain: region x approach; the root of the tree, also where it is not known
with
leaf_count as (
    select count(*) as leaves
    from node
    where children_expected = 0
),

exempt as (
    select
        not_applicable.unit_key,
        count(*) as leaves
    from not_applicable
    inner join node on not_applicable.node_key = node.node_key
    where node.children_expected = 0
    group by not_applicable.unit_key
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
    coalesce(
        cast(result.origin as varchar),
        case
            when entered_rank.rank is not null then 'entered_rank'
            when entered_rank.category is not null then 'entered_category'
        end
    ) as origin,
    result.score,
    case when result.origin = 'computed' then result.score else overridden.computed_score end as computed_score,
    coalesce(ranking.rank, entered_rank.rank) as rank,
    case when ranking.rank is not null then score_moments.n end as regions_ranked,
    coalesce(cast(ranking.category as varchar), entered_rank.category) as category,
    case when index_range.unit_key is null then result.score else index_range.lowest end as score_lowest,
    case when index_range.unit_key is null then result.score else index_range.highest end as score_highest,
    case when index_range.unit_key is null then cast(ranking.rank as bigint) else index_range.rank_best end
        as rank_best,
    case when index_range.unit_key is null then cast(ranking.rank as bigint) else index_range.rank_worst end
        as rank_worst,
    leaf_count.leaves - coalesce(exempt.leaves, 0) as indicators_expected,
    coalesce(report.reports, 0) as indicators_reported,
    cast(coalesce(bit_count(report.evidenced_nodes), 0) as bigint) as indicators_evidenced,
    cast($is_synthetic as boolean) as is_synthetic,
    $snapshot_id as snapshot_id
from unit
cross join leaf_count
inner join node on node.parent_key is null
inner join score_moments
    on unit.population_key = score_moments.population_key and node.node_key = score_moments.node_key
left join node_result as result on unit.unit_key = result.unit_key and node.node_key = result.node_key
left join overridden_score as overridden on unit.unit_key = overridden.unit_key and node.node_key = overridden.node_key
left join score_rank as ranking on unit.unit_key = ranking.unit_key and node.node_key = ranking.node_key
left join entered_rank on unit.unit_key = entered_rank.unit_key and node.node_key = entered_rank.node_key
left join report on unit.unit_key = report.unit_key
left join exempt on unit.unit_key = exempt.unit_key
left join index_range on unit.unit_key = index_range.unit_key
order by unit.unit_key
