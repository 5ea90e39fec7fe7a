-- fails: a level and approach with some, but not all, scores of a node that is ranked or has a derived cut-off
insert into finding
select
    'coverage_below' as "check",
    population.region_level || ' / ' || population.approach || ' / ' || node.node_code as subject,
    cast(spread.n as varchar) as observed,
    cast(population.regions as varchar) as expected
from spread
inner join population on spread.population_key = population.population_key
inner join node on spread.node_key = node.node_key
where
    spread.n > 0
    and not spread.is_complete
    and (
        population.is_ranked
        or (spread.population_key, spread.node_key) in (
            select (span.population_key, span.node_key)
            from cut_off_span as span
            where span.n_needed > 0
        )
    )
