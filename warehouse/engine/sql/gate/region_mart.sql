-- grain: region x approach x node that a rule names; its score, and how far it moved since the last stable snapshot
select
    now.region_level,
    now.approach,
    now.node_code,
    now.region_code,
    now.region_name,
    now.score,
    abs(now.score - before.score) / ($scale_highest - $scale_lowest) as score_change_share
from node_score as now
left join stable_node_score as before
    on
        now.region_level = before.region_level
        and now.region_code = before.region_code
        and now.approach = before.approach
        and now.node_code = before.node_code
where list_contains($nodes, now.node_code)
order by now.region_level, now.approach, now.node_code, now.region_code
