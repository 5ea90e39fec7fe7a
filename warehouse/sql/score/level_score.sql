-- grain: unit x node of the level that has something to be computed of; added to the result
insert into node_result
select
    cast(population_key as smallint) as population_key,
    unit_key,
    cast(node_key as smallint) as node_key,
    cast($node_level as smallint) as node_level,
    score,
    score as computed_score,
    case when score is not null then cast('computed' as origin) end as origin,
    cast(children_present as smallint) as children_present
from level_computed
