-- grain: target unit x node of the level with a region below whose score could be another; the mean of theirs, where
-- as many can be known as the roll-up requires, and the score it has. It overrides what the ends of children give
merge into score_range
using (
    with
    part as (
        select
            member.target_key,
            node.node_key,
            members_needed(member, roll_up_exempt) as members_needed,
            score_range.unit_key is not null as is_affected,
            case when score_range.unit_key is null then result.score else score_range.lowest end as lowest,
            case when score_range.unit_key is null then result.score else score_range.highest end as highest
        from roll_up_member as member
        inner join node on node.node_level = $node_level
        left join score_range on member.member_key = score_range.unit_key and node.node_key = score_range.node_key
        left join node_result as result on member.member_key = result.unit_key and node.node_key = result.node_key
        left join roll_up_exempt
            on
                member.roll_up_key = roll_up_exempt.roll_up_key
                and member.target_key = roll_up_exempt.target_key
                and node.node_key = roll_up_exempt.node_key
        where
            member.roll_up_key = $roll_up_key
            and member.method = 'mean'
            -- what could have no score is left out, as it is of the score
            and (score_range.unit_key is not null or result.score is not null)
    ),

    scale as (
        select
            node_key,
            exact_scale(max(greatest(abs(lowest), abs(highest)))) as scale
        from part
        group by node_key
    ),

    total as (
        select
            part.target_key,
            part.node_key,
            count(*) as parts,
            count(part.lowest) as lowest_known,
            count(part.highest) as highest_known,
            limited(
                sum(exact_term(part.lowest, scale.scale)) / any_value(scale.scale) / count(*),
                min(part.lowest),
                max(part.lowest)
            ) as lowest,
            limited(
                sum(exact_term(part.highest, scale.scale)) / any_value(scale.scale) / count(*),
                min(part.highest),
                max(part.highest)
            ) as highest
        from part
        inner join scale on part.node_key = scale.node_key
        group by part.target_key, part.node_key
        having bool_or(part.is_affected) and count(*) >= any_value(part.members_needed)
    )

    select
        total.target_key as unit_key,
        total.node_key,
        case when total.lowest_known = total.parts then least(total.lowest, result.score) end as lowest,
        case
            when total.highest_known = total.parts then greatest(total.highest, result.score)
        end as highest
    from total
    left join node_result as result on total.target_key = result.unit_key and total.node_key = result.node_key
    left join report on total.target_key = report.unit_key
    where
        result.origin is distinct from 'entered'
        -- what is computed of its own reports does not rest on those below
        and (result.origin is distinct from 'computed' or coalesce(report.reports, 0) = 0)
) as mean
    on score_range.unit_key = mean.unit_key and score_range.node_key = mean.node_key
when matched then update set lowest = mean.lowest, highest = mean.highest
when not matched then insert values (mean.unit_key, mean.node_key, mean.lowest, mean.highest)
