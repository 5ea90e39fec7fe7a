-- fails: a level and approach with some, but not all, scores of a node that is ranked or has a derived cut-off
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
    )
