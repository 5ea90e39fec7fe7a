-- grain: population x leaf; the lowest and the highest score that a reported value came to. Null where no scale can be
-- made of what was reported; no row where too little was reported to make one, as where nothing was
create or replace table observed_range as
with
extreme as (
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
        extreme.population_key,
        extreme.node_key,
        case
            when extreme.is_score then extreme.value
            when scaling.span is not null then scaled(extreme.value, scaling)
        end as score
    from extreme
    left join node_scaling as scaling
        on extreme.population_key = scaling.population_key and extreme.node_key = scaling.node_key
    where extreme.is_score or scaling.basis <> 'derived' or scaling.n >= scaling.n_needed
)

select
    population_key,
    node_key,
    min(score) as lowest,
    max(score) as highest
from scored
group by population_key, node_key
