-- grain: population x node; how many scores are known, their mean and sample standard deviation (two exact passes)
create or replace table spread as
with
reach as (
    select
        population_key,
        node_key,
        count(score) as n,
        min(score) as lowest,
        max(score) as highest,
        exact_scale(greatest(abs(min(score)), abs(max(score)))) as scale
    from node_result
    group by population_key, node_key
),

centre as (
    select
        known.population_key,
        known.node_key,
        any_value(reach.n) as n,
        any_value(reach.lowest) as lowest,
        any_value(reach.highest) as highest,
        sum(cast(round(known.score * reach.scale) as bigint)) / any_value(reach.scale) / any_value(reach.n) as mean
    from node_result as known
    inner join reach on known.population_key = reach.population_key and known.node_key = reach.node_key
    where known.score is not null
    group by known.population_key, known.node_key
),

square_scale as (
    select
        population_key,
        node_key,
        mean,
        exact_scale(pow(greatest(highest - mean, mean - lowest), 2)) as scale
    from centre
),

squares as (
    select
        known.population_key,
        known.node_key,
        sum(cast(round((known.score - centre.mean) * (known.score - centre.mean) * centre.scale) as bigint))
        / any_value(centre.scale) as total
    from node_result as known
    inner join square_scale as centre
        on known.population_key = centre.population_key and known.node_key = centre.node_key
    where known.score is not null
    group by known.population_key, known.node_key
)

select
    population.population_key,
    node.node_key,
    coalesce(centre.n, 0) as n,
    centre.mean,
    case when centre.n > 1 then sqrt(squares.total / (centre.n - 1)) end as sd,
    coalesce(centre.n, 0) >= population.regions as is_complete
from population
cross join node
left join centre on population.population_key = centre.population_key and node.node_key = centre.node_key
left join squares on population.population_key = squares.population_key and node.node_key = squares.node_key
