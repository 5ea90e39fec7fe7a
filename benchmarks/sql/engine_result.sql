-- grain: unit x node with a score; the engine's result in the shape of the plain ways
create or replace view scored as
select
    result.unit_key,
    result.score,
    ranking.rank,
    cast(ranking.category as varchar) as category,
    node.parent_key is null as is_index,
    node.children_expected = 0 as is_leaf
from node_result as result
inner join score_rank as ranking on result.unit_key = ranking.unit_key and result.node_key = ranking.node_key
inner join node on result.node_key = node.node_key
