-- grain: unit x node of the level that is computed or entered; an entered score beats the computed one
create or replace table level_score as
with
entered_here as (
    select
        entered.unit_key,
        entered.node_key,
        entered.score
    from entered
    inner join node on entered.node_key = node.node_key
    where node.node_level = $node_level
)

select
    coalesce(computed.unit_key, entered_here.unit_key) as unit_key,
    coalesce(computed.node_key, entered_here.node_key) as node_key,
    coalesce(entered_here.score, computed.score) as score,
    computed.score as computed_score,
    case
        when entered_here.score is not null then 'entered'
        when computed.score is not null then 'computed'
    end as origin,
    coalesce(computed.children_present, 0) as children_present,
    computed.weight_present,
    computed.factor
from level_computed as computed
full outer join entered_here
    on computed.unit_key = entered_here.unit_key and computed.node_key = entered_here.node_key
