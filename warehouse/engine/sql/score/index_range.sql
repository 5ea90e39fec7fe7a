-- grain: unit whose index could be another; its ends, and the ranks that it would have among the others as they are
create or replace table index_range as
with
root as (
    select node_key
    from node
    where parent_key is null
),

-- a score, and how many regions score at least as much
regions_at_or_above as (
    select distinct
        result.population_key,
        result.score,
        count(*) over (partition by result.population_key order by result.score desc) as regions
    from node_result as result
    inner join root on result.node_key = root.node_key
),

ends as (
    select
        score_range.unit_key,
        unit.population_key,
        score_range.lowest,
        score_range.highest,
        result.score,
        ranking.rank is not null as is_ranked
    from score_range
    inner join root on score_range.node_key = root.node_key
    inner join unit on score_range.unit_key = unit.unit_key
    left join node_result as result on score_range.unit_key = result.unit_key and root.node_key = result.node_key
    left join score_rank as ranking on score_range.unit_key = ranking.unit_key and root.node_key = ranking.node_key
)

-- a score lies between its ends: the region itself is never above its highest score. It may be above its lowest one,
-- and is subtracted there
select
    ends.unit_key,
    ends.lowest,
    ends.highest,
    case when ends.is_ranked and ends.highest is not null then coalesce(above_highest.regions, 0) + 1 end as rank_best,
    case
        when ends.is_ranked and ends.lowest is not null
            then coalesce(above_lowest.regions, 0) - cast(ends.score > ends.lowest as integer) + 1
    end as rank_worst
from ends
asof left join regions_at_or_above as above_highest
    on ends.population_key = above_highest.population_key and ends.highest < above_highest.score
asof left join regions_at_or_above as above_lowest
    on ends.population_key = above_lowest.population_key and ends.lowest < above_lowest.score
