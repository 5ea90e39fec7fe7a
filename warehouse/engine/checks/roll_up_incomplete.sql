-- fails: a region of which some, but not enough, regions below are known, so that a node was not rolled up
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
