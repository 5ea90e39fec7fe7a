-- grain: unit x node of the level; entered and rolled-up scores override computed ones, and entered ones rolled-up ones
merge into node_result as result
using noncomputed_score as noncomputed
    on result.unit_key = noncomputed.unit_key and result.node_key = noncomputed.node_key
when matched and result.origin <> 'entered' then update set score = noncomputed.score, origin = noncomputed.origin
when not matched then insert values (
    noncomputed.population_key, noncomputed.unit_key, noncomputed.node_key, noncomputed.score, noncomputed.origin
)
