-- grain: unit x node of the level; given scores laid in: they beat computed ones, and entered ones beat rolled-up ones
merge into node_result as result
using given_score as given
    on result.unit_key = given.unit_key and result.node_key = given.node_key
when matched and result.origin <> 'entered' then update set score = given.score, origin = given.origin
when not matched then insert values (given.population_key, given.unit_key, given.node_key, given.score, given.origin)
