-- grain: target unit with a region below whose index could be another; the mean of theirs, where as many are known as
-- the roll-up asks
insert into score_end
with
root as (
    select node_key
    from node
    where parent_key is null
),

part as (
    select
        member.target_key,
        member.members,
        (member.members - coalesce(exempt.exempt, 0)) * member.min_share - 1e-9 as members_asked,
        score_end.unit_key is not null as is_touched,
        case when score_end.unit_key is null then result.score else score_end.lowest end as lowest,
        case when score_end.unit_key is null then result.score else score_end.highest end as highest
    from roll_up_member as member
    cross join root
    left join score_end on member.member_key = score_end.unit_key and root.node_key = score_end.node_key
    left join node_result as result on member.member_key = result.unit_key and root.node_key = result.node_key
    left join roll_up_exempt as exempt
        on
            member.roll_up_key = exempt.roll_up_key
            and member.target_key = exempt.target_key
            and root.node_key = exempt.node_key
    where member.roll_up_key = $roll_up_key and member.method = 'mean'
),

scale as (
    select exact_scale(max(members * greatest(abs(lowest), abs(highest)))) as scale
    from part
),

total as (
    select
        part.target_key,
        count(part.lowest) as known,
        any_value(part.members_asked) as members_asked,
        sum(cast(round(part.lowest * scale.scale) as bigint)) / any_value(scale.scale) as lowest,
        sum(cast(round(part.highest * scale.scale) as bigint)) / any_value(scale.scale) as highest
    from part
    cross join scale
    group by part.target_key
    having bool_or(part.is_touched)
)

select
    total.target_key as unit_key,
    root.node_key,
    case when total.known >= total.members_asked then total.lowest / total.known end as lowest,
    case when total.known >= total.members_asked then total.highest / total.known end as highest
from total
cross join root
left join node_result as result on total.target_key = result.unit_key and root.node_key = result.node_key
left join report on total.target_key = report.unit_key
where
    result.origin is distinct from 'entered'
    -- what is computed of its own reports does not rest on those below
    and (result.origin is distinct from 'computed' or report.unit_key is null)
