-- grain: population x node; how many scores are known, their mean and sample standard deviation (two exact passes)
create or replace table spread as
with
known as (
    select
        unit.population_key,
        result.node_key,
        result.score
    from node_result as result
    inner join unit on result.unit_key = unit.unit_key
    where result.score is not null
),

scale as (
    select
        population_key,
        node_key,
        exact_scale(max(abs(score))) as scale
    from known
    group by population_key, node_key
),

centre as (
    select
        known.population_key,
        known.node_key,
        count(*) as n,
        sum(cast(round(known.score * scale.scale) as bigint)) / any_value(scale.scale) / count(*) as mean
    from known
    inner join scale on known.population_key = scale.population_key and known.node_key = scale.node_key
    group by known.population_key, known.node_key
),

deviation as (
    select
        known.population_key,
        known.node_key,
        (known.score - centre.mean) * (known.score - centre.mean) as square
    from known
    inner join centre on known.population_key = centre.population_key and known.node_key = centre.node_key
),

square_scale as (
    select
        population_key,
        node_key,
        exact_scale(max(square)) as scale
    from deviation
    group by population_key, node_key
),

squares as (
    select
        deviation.population_key,
        deviation.node_key,
        sum(cast(round(deviation.square * square_scale.scale) as bigint)) / any_value(square_scale.scale) as total
    from deviation
    inner join square_scale
        on deviation.population_key = square_scale.population_key and deviation.node_key = square_scale.node_key
    group by deviation.population_key, deviation.node_key
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
