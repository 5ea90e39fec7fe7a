-- fails: a node that would be ranked or classified, whose scores differ by less than the published figures show
insert into finding
select
    'no_spread' as "check",
    population.region_level || ' / ' || population.approach || ' / ' || node.node_code as subject,
    cast(round(spread.lowest, 9) as varchar) || ' - ' || cast(round(spread.highest, 9) as varchar) as observed,
    cast(2 * $half_unit as varchar) as expected
from spread
inner join population on spread.population_key = population.population_key
inner join node on spread.node_key = node.node_key
where
    spread.is_flat
    and (
        (population.is_ranked and spread.is_complete)
        or exists (
            select span.category
            from cut_off_span as span
            where
                span.population_key = spread.population_key
                and span.node_key = spread.node_key
                and span.n_needed <= spread.n
        )
    )
