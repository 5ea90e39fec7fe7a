-- grain: region x leaf whose value stands above a jump, or is the highest of its level; how many times the next lower
-- value it is. The next lower one is looked for among all values of the level, now and in the stable snapshot. Only the
-- highest values are looked at (a tenth of them, at least two, less than half), and nothing below 1 counts as less
with
spoken as (
    select
        region_level,
        approach,
        node_code,
        region_code,
        abs(raw_value) as value,
        true as is_new
    from indicator_value
    where raw_value is not null
    union all
    select
        region_level,
        approach,
        node_code,
        region_code,
        abs(raw_value) as value,
        false as is_new
    from stable_indicator_value
    where raw_value is not null
),

counted as (
    select
        region_level,
        approach,
        node_code,
        least(greatest(2, count(*) filter (where is_new) // 10), greatest(1, (count(*) filter (where is_new) - 1) // 2))
            as looked_at
    from spoken
    group by region_level, approach, node_code
),

-- the highest values and the one below them
top as (
    select
        spoken.*,
        counted.looked_at,
        lag(spoken.value) over leaf as below,
        count(*) filter (where spoken.is_new) over (
            partition by spoken.region_level, spoken.approach, spoken.node_code
            order by spoken.value desc, spoken.is_new desc, spoken.region_code desc
        ) as ordinal
    from spoken
    inner join counted
        on
            spoken.region_level = counted.region_level
            and spoken.approach = counted.approach
            and spoken.node_code = counted.node_code
    window
        leaf as (
            partition by spoken.region_level, spoken.approach, spoken.node_code
            order by spoken.value, spoken.is_new, spoken.region_code
        )
),

jump as (
    select
        region_level,
        approach,
        node_code,
        region_code,
        is_new,
        ordinal,
        max(case when is_new and below is not null then value / greatest(below, 1) end) over (
            partition by region_level, approach, node_code
            order by value, is_new, region_code
            rows between unbounded preceding and current row
        ) as value_jump
    from top
    where ordinal between 1 and looked_at
)

select
    region_level,
    approach,
    node_code,
    region_code,
    value_jump
from jump
where is_new and value_jump is not null and (value_jump >= 2 or ordinal = 1)
order by region_level, approach, node_code, region_code
