-- grain: region level x approach x node that a rule names; coverage, and change since the last stable snapshot
with
reported as (
    select
        region_level,
        approach,
        sum(indicators_reported) / nullif(sum(indicators_expected), 0) as reported_share
    from index_score
    group by region_level, approach
)

select
    now.region_level,
    now.approach,
    now.node_code,
    any_value(reported.reported_share) as reported_share,
    count(now.score) / count(*) as known_share,
    abs(avg(now.score) - avg(before.score)) / ($scale_highest - $scale_lowest) as mean_change_share,
    count(*) filter (where now.category <> before.category)
    / nullif(count(*) filter (where now.category is not null and before.category is not null), 0)
        as category_change_share,
    count(*) filter (where now.score is null and before.score is not null) / nullif(count(before.score), 0)
        as lost_share
from node_score as now
left join stable_node_score as before
    on
        now.region_level = before.region_level
        and now.region_code = before.region_code
        and now.approach = before.approach
        and now.node_code = before.node_code
left join reported on now.region_level = reported.region_level and now.approach = reported.approach
where list_contains($nodes, now.node_code)
group by now.region_level, now.approach, now.node_code
order by now.region_level, now.approach, now.node_code
