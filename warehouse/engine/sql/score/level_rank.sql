-- grain: unit x node of the block; the place of its score in its population (only where that is ranked and complete),
-- and its category (null where no bound decides); nothing where neither is to be given
insert into node_rank
with
judged as (
    select
        score_moments.population_key,
        score_moments.node_key,
        population.is_ranked and score_moments.is_complete and not score_moments.is_flat as is_ranked
    from score_moments
    inner join population on score_moments.population_key = population.population_key
    where
        score_moments.node_key between $first_node and $last_node
        and (
            (population.is_ranked and score_moments.is_complete and not score_moments.is_flat)
            or (score_moments.population_key, score_moments.node_key) in (
                select (bound.population_key, bound.node_key) from category_bound as bound
            )
        )
),

-- as the type that is inserted, so that no word is looked up again for every score
bound as (
    select
        population_key,
        node_key,
        cast(category as category) as category,
        first_score,
        last_score
    from category_bound
),

placed as (
    select
        result.population_key,
        result.unit_key,
        result.node_key,
        result.score,
        judged.is_ranked,
        rank() over (partition by result.population_key, result.node_key order by result.score desc) as place
    from node_result as result
    inner join judged on result.population_key = judged.population_key and result.node_key = judged.node_key
    where result.node_key between $first_node and $last_node
)

select
    placed.unit_key,
    placed.node_key,
    case when placed.is_ranked then placed.place end as place,
    bound.category
from placed
left join bound
    on
        placed.population_key = bound.population_key
        and placed.node_key = bound.node_key
        and placed.score between bound.first_score and bound.last_score
