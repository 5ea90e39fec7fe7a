-- fails: a published rank that is not the one of the score
insert into finding
select
    'rank_differs' as "check",
    unit.label || ' / ' || node.node_code as subject,
    cast(stated.rank as varchar) as observed,
    cast(ranking.place as varchar) as expected
from stated
inner join node_rank as ranking on stated.unit_key = ranking.unit_key and stated.node_key = ranking.node_key
inner join unit on stated.unit_key = unit.unit_key
inner join node on stated.node_key = node.node_key
where stated.rank <> ranking.place
