-- fails: a published category that is not the one of the score by the cut-offs
insert into finding
select
    'category_differs' as "check",
    unit.label || ' / ' || node.node_code as subject,
    stated.category as observed,
    cast(ranking.category as varchar) as expected
from stated
inner join node_rank as ranking on stated.unit_key = ranking.unit_key and stated.node_key = ranking.node_key
inner join unit on stated.unit_key = unit.unit_key
inner join node on stated.node_key = node.node_key
where stated.category <> cast(ranking.category as varchar)
