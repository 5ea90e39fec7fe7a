-- grain: population x leaf; the lowest and the highest score that a reported value came to. Null where no scale can be
-- made of what was reported; no row where too little was reported to make one, as where nothing was
create or replace table observed_range as
with
told as (
    select
        population_key,
        node_key,
        is_score,
        unnest([min(treated_value), max(treated_value)]) as value
    from reported
    where status <> 'imputed' and treated_value is not null
    group by population_key, node_key, is_score
),

scored as (
    select
        told.population_key,
        told.node_key,
        case
            when told.is_score then told.value
            when scaling.span is not null
                then
                    greatest(
                        least(
                            (told.value * scaling.direction - scaling.shift) / scaling.span * scaling.height
                            + scaling.base,
                            scaling.score_ceiling
                        ),
                        scaling.score_floor
                    )
        end as score
    from told
    left join node_scaling as scaling
        on told.population_key = scaling.population_key and told.node_key = scaling.node_key
    where told.is_score or scaling.basis <> 'derived' or scaling.n >= scaling.n_needed
)

select
    population_key,
    node_key,
    min(score) as lowest,
    max(score) as highest
from scored
group by population_key, node_key
