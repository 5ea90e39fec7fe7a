-- grain: target unit x node of the level whose members below are known as far as the roll-up requires; their mean
create or replace table noncomputed_score as
with
known as (
    select
        member.target_key,
        result.node_key,
        result.score,
        members_needed(member, roll_up_exempt) as members_needed
    from node_result as result
    inner join roll_up_member as member on result.unit_key = member.member_key
    inner join node on result.node_key = node.node_key
    left join roll_up_exempt
        on
            member.roll_up_key = roll_up_exempt.roll_up_key
            and member.target_key = roll_up_exempt.target_key
            and result.node_key = roll_up_exempt.node_key
    where node.node_level = $node_level and member.roll_up_key = $roll_up_key and member.method = 'mean'
),

scale as (
    select
        node_key,
        exact_scale(max(abs(score))) as scale,
        min(score) as lowest,
        max(score) as highest
    from known
    group by node_key
)

select
    unit.population_key,
    known.target_key as unit_key,
    known.node_key,
    limited(
        sum(exact_term(known.score, scale.scale)) / any_value(scale.scale) / count(*),
        any_value(scale.lowest),
        any_value(scale.highest)
    ) as score,
    cast('rolled_up' as origin) as origin
from known
inner join scale on known.node_key = scale.node_key
inner join unit on known.target_key = unit.unit_key
group by unit.population_key, known.target_key, known.node_key
having count(*) >= any_value(known.members_needed);

-- check roll_up_incomplete: a region of which some, but not enough, regions below are known, so that a node was not
-- rolled up
insert into finding
select
    'roll_up_incomplete' as "check",
    target.label || ' / ' || node.node_code as subject,
    cast(count(*) as varchar) as observed,
    cast(any_value(member.members - coalesce(exempt.exempt, 0)) as varchar) as expected
from roll_up_member as member
inner join node_result as result on member.member_key = result.unit_key
inner join unit as target on member.target_key = target.unit_key
inner join node on result.node_key = node.node_key
left join roll_up_exempt as exempt
    on
        member.roll_up_key = exempt.roll_up_key
        and member.target_key = exempt.target_key
        and result.node_key = exempt.node_key
where member.method = 'mean'
group by member.roll_up_key, target.label, node.node_code
having count(*) < any_value((member.members - coalesce(exempt.exempt, 0)) * member.min_share) - 1e-9
