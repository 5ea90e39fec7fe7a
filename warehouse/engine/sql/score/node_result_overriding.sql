-- grain: unit x node of the level; entered and rolled-up scores take the place of computed ones, and entered ones that
-- of rolled-up ones
merge into node_result as result
using overriding_score as overriding
    on result.unit_key = overriding.unit_key and result.node_key = overriding.node_key
when matched and result.origin <> 'entered' then update set score = overriding.score, origin = overriding.origin
when not matched then insert values (
    overriding.population_key, overriding.unit_key, overriding.node_key, overriding.score, overriding.origin
)
