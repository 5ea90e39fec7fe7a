-- grain: population x leaf; the lowest and the highest score that a reported value came to
create or replace table seen as
with
told as (
    select
        population_key,
        node_key,
        is_score,
        min(treated_value) as lowest,
        max(treated_value) as highest
    from reported
    where status <> 'imputed'
    group by population_key, node_key, is_score
),

scored as (
    select
        told.population_key,
        told.node_key,
        case
            when told.is_score then told.lowest
            else (told.lowest * scaling.direction - scaling.shift) / scaling.span * scaling.height + scaling.base
        end as one_end,
        case
            when told.is_score then told.highest
            else (told.highest * scaling.direction - scaling.shift) / scaling.span * scaling.height + scaling.base
        end as other_end
    from told
    inner join node_scaling as scaling
        on told.population_key = scaling.population_key and told.node_key = scaling.node_key
)

select
    population_key,
    node_key,
    min(least(one_end, other_end)) as lowest,
    max(greatest(one_end, other_end)) as highest
from scored
group by population_key, node_key
