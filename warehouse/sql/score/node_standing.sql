-- grain: unit x node with a score; its place in its population (a rank only where that is complete) and its category
create or replace table node_standing as
with
placed as (
    select
        population_key,
        unit_key,
        node_key,
        score,
        rank() over (partition by population_key, node_key order by score desc) as place
    from node_result
    where score is not null
)

select
    placed.unit_key,
    placed.node_key,
    cast(placed.place as integer) as place,
    cast(bound.category as category) as category
from placed
left join category_bound as bound
    on
        placed.population_key = bound.population_key
        and placed.node_key = bound.node_key
        and placed.score between bound.first_score and bound.last_score
