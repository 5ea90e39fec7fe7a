-- grain: unit x node with a score; its rank (where the population is complete and ranked) and its category
create or replace table node_standing as
with
ranked as (
    select
        result.unit_key,
        result.node_key,
        result.score,
        unit.population_key,
        case
            when population.is_ranked and spread.is_complete
                then
                    rank() over (partition by unit.population_key, result.node_key order by result.score desc)
        end as place,
        case when population.is_ranked and spread.is_complete then spread.n end as regions_ranked
    from node_result as result
    inner join unit on result.unit_key = unit.unit_key
    inner join population on unit.population_key = population.population_key
    inner join spread on unit.population_key = spread.population_key and result.node_key = spread.node_key
    where result.score is not null
)

select
    ranked.unit_key,
    ranked.node_key,
    ranked.place,
    ranked.regions_ranked,
    bound.category
from ranked
left join category_bound as bound
    on
        ranked.population_key = bound.population_key
        and ranked.node_key = bound.node_key
        and (
            bound.lower_bound is null
            or ranked.score > bound.lower_bound
            or (ranked.score = bound.lower_bound and bound.closed_side in ('left', 'both'))
        )
        and (
            bound.upper_bound is null
            or ranked.score < bound.upper_bound
            or (ranked.score = bound.upper_bound and bound.closed_side in ('right', 'both'))
        )
