-- grain: unit x entered node that has parts; its ends are not known: nobody can tell what was blank among its parts
insert into score_end
select
    result.unit_key,
    result.node_key,
    null as lowest,
    null as highest
from node_result as result
inner join node on result.node_key = node.node_key
where result.origin = 'entered' and node.children_expected > 0
