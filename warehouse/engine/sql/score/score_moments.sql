-- grain: population x node; how many scores are known, the lowest and the highest. Mean and sample standard deviation,
-- exact, only where all regions are known: bounds are derived from nothing less
insert into score_moments
with
known as (
    select
        population_key,
        node_key,
        score
    from node_result
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
        sum(exact_term(known.score, coverage.scale))
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
        sum(exact_term((known.score - centre.mean) * (known.score - centre.mean), centre.scale))
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
left join squares on population.population_key = squares.population_key and node.node_key = squares.node_key;

-- check coverage_below: a level and approach with some, but not all, scores of a node that is ranked or has a derived
-- cut-off
insert into finding
select
    'coverage_below' as "check",
    population.region_level || ' / ' || population.approach || ' / ' || node.node_code as subject,
    cast(score_moments.n as varchar) as observed,
    cast(population.regions as varchar) as expected
from score_moments
inner join population on score_moments.population_key = population.population_key
inner join node on score_moments.node_key = node.node_key
where
    score_moments.n > 0
    and not score_moments.is_complete
    and (
        population.is_ranked
        or (score_moments.population_key, score_moments.node_key) in (
            select (span.population_key, span.node_key)
            from cut_off_span as span
            where span.n_needed > 0
        )
    );

-- check no_spread: a node that would be ranked or classified, whose scores differ by less than the published figures
-- show
insert into finding
select
    'no_spread' as "check",
    population.region_level || ' / ' || population.approach || ' / ' || node.node_code as subject,
    cast(round(score_moments.lowest, 9) as varchar)
    || ' - ' || cast(round(score_moments.highest, 9) as varchar) as observed,
    cast(2 * $half_unit as varchar) as expected
from score_moments
inner join population on score_moments.population_key = population.population_key
inner join node on score_moments.node_key = node.node_key
where
    score_moments.is_flat
    and (
        (population.is_ranked and score_moments.is_complete)
        or exists (
            select span.category
            from cut_off_span as span
            where
                span.population_key = score_moments.population_key
                and span.node_key = score_moments.node_key
                and span.n_needed <= score_moments.n
        )
    )
