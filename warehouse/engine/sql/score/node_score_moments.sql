-- grain: population x node of the block; added to score_moments. Mean and sample standard deviation, exact, only
-- where all regions are known: bounds are derived from nothing less
insert into score_moments
with
known as (
    select
        population_key,
        node_key,
        score
    from node_result
    where node_key between $first_node and $last_node
),

counted as (
    select
        population_key,
        node_key,
        count(*) as n,
        min(score) as lowest,
        max(score) as highest
    from known
    group by population_key, node_key
),

coverage as (
    select
        counted.*,
        exact_scale(greatest(abs(counted.lowest), abs(counted.highest))) as scale
    from counted
    inner join population on counted.population_key = population.population_key
    where counted.n >= population.regions
),

centre as (
    select
        known.population_key,
        known.node_key,
        any_value(coverage.n) as n,
        any_value(coverage.lowest) as lowest,
        any_value(coverage.highest) as highest,
        sum(cast(round(known.score * coverage.scale) as bigint))
        / any_value(coverage.scale) / any_value(coverage.n) as mean
    from known
    inner join coverage on known.population_key = coverage.population_key and known.node_key = coverage.node_key
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
    from known
    inner join square_scale as centre
        on known.population_key = centre.population_key and known.node_key = centre.node_key
    group by known.population_key, known.node_key
)

select
    population.population_key,
    node.node_key,
    coalesce(counted.n, 0) as n,
    centre.mean,
    case when centre.n > 1 then sqrt(squares.total / (centre.n - 1)) end as sd,
    counted.lowest,
    counted.highest,
    coalesce(counted.n, 0) >= population.regions as is_complete,
    coalesce(counted.n > 1 and counted.highest - counted.lowest < 2 * $half_unit, false) as is_flat
from population
cross join node
left join counted on population.population_key = counted.population_key and node.node_key = counted.node_key
left join centre on population.population_key = centre.population_key and node.node_key = centre.node_key
left join squares on population.population_key = squares.population_key and node.node_key = squares.node_key
where node.node_key between $first_node and $last_node
