-- grain: unit x node of the level; an entered score beats the computed one, which stays beside it
merge into node_result as result
using (
    select
        unit.population_key,
        entered.unit_key,
        entered.node_key,
        entered.score
    from entered
    inner join node on entered.node_key = node.node_key
    inner join unit on entered.unit_key = unit.unit_key
    where node.node_level = $node_level
) as entered
    on result.unit_key = entered.unit_key and result.node_key = entered.node_key
when matched then update set score = entered.score, origin = 'entered'
when not matched then
    insert
    values (
        entered.population_key, entered.unit_key, entered.node_key, $node_level, entered.score, null, 'entered', 0
    )
