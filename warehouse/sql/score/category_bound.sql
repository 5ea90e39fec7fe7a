-- grain: population x node x category; the bounds by the first rule of the edition that applies
create or replace table category_bound as
with
applicable as (
    select
        span.population_key,
        span.node_key,
        min(span.rule_order) as rule_order,
        any_value(spread.n) as n,
        any_value(spread.mean) as mean,
        any_value(spread.sd) as sd
    from cut_off_span as span
    inner join spread on span.population_key = spread.population_key and span.node_key = spread.node_key
    where spread.n >= span.n_needed and (span.basis <> 'mean_sd' or spread.sd is not null)
    group by span.population_key, span.node_key
)

select
    span.population_key,
    span.node_key,
    span.category,
    span.closed_side,
    span.basis,
    span.evidence,
    applicable.n,
    case span.basis
        when 'mean_sd' then applicable.mean + span.lower_parameter * applicable.sd
        when 'quantile' then lower_quantile.score
        else span.lower_parameter
    end as lower_bound,
    case span.basis
        when 'mean_sd' then applicable.mean + span.upper_parameter * applicable.sd
        when 'quantile' then upper_quantile.score
        else span.upper_parameter
    end as upper_bound
from cut_off_span as span
inner join applicable
    on
        span.population_key = applicable.population_key
        and span.node_key = applicable.node_key
        and span.rule_order = applicable.rule_order
left join score_quantile as lower_quantile
    on
        span.population_key = lower_quantile.population_key
        and span.node_key = lower_quantile.node_key
        and span.lower_parameter = lower_quantile.quantile
left join score_quantile as upper_quantile
    on
        span.population_key = upper_quantile.population_key
        and span.node_key = upper_quantile.node_key
        and span.upper_parameter = upper_quantile.quantile
