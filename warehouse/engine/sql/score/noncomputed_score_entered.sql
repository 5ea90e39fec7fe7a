-- grain: unit x node of the level with an entered score
create or replace table noncomputed_score as
select
    unit.population_key,
    entered.unit_key,
    entered.node_key,
    entered.score,
    cast('entered' as origin) as origin
from entered
inner join node on entered.node_key = node.node_key
inner join unit on entered.unit_key = unit.unit_key
where node.node_level = $node_level
