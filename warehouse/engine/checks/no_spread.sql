-- fails: a node that would be ranked or classified, whose scores differ by less than the published figures show
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
