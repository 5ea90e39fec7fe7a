-- grain: region level x approach that is rolled up; of which regions below, and how
select
    $edition as edition,
    $period as period,
    region_level,
    approach,
    from_region_level,
    from_approach,
    method,
    min_share,
    $snapshot_id as snapshot_id
from roll_up_rule
order by region_level, approach
