-- grain: unit x node of the level; rolled-up scores laid in: they beat computed ones, entered ones beat them
merge into node_result as result
using level_rolled as rolled
    on result.unit_key = rolled.unit_key and result.node_key = rolled.node_key
when matched and result.origin is distinct from 'entered' then update set score = rolled.score, origin = 'rolled_up'
when not matched then
    insert
    values (
        rolled.population_key, rolled.unit_key, rolled.node_key, $node_level, rolled.score, null, 'rolled_up', 0
    )
