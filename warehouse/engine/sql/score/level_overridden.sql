-- grain: unit x node of the level whose computed score is about to be beaten; it stays as a check
insert into node_overridden
select
    result.unit_key,
    result.node_key,
    result.score as computed_score
from node_result as result
inner join level_given as given on result.unit_key = given.unit_key and result.node_key = given.node_key
where result.origin = 'computed'
