-- grain: population x node x quantile that a cut-off needs; interpolated between neighbouring scores
create or replace table score_quantile as
with
wanted as (
    select
        population_key,
        node_key,
        lower_parameter as quantile
    from cut_off_span
    where basis = 'quantile' and lower_parameter is not null
    union
    select
        population_key,
        node_key,
        upper_parameter as quantile
    from cut_off_span
    where basis = 'quantile' and upper_parameter is not null
),

ordered as (
    select
        result.population_key,
        result.node_key,
        result.score,
        row_number() over (partition by result.population_key, result.node_key order by result.score) - 1 as position
    from node_result as result
    where (result.population_key, result.node_key) in (select (wanted.population_key, wanted.node_key) from wanted)
),

wanted_position as (
    select
        wanted.population_key,
        wanted.node_key,
        wanted.quantile,
        wanted.quantile * (score_moments.n - 1) as position
    from wanted
    inner join score_moments
        on wanted.population_key = score_moments.population_key and wanted.node_key = score_moments.node_key
)

select
    wanted_position.population_key,
    wanted_position.node_key,
    wanted_position.quantile,
    below.score + (above.score - below.score) * (wanted_position.position - floor(wanted_position.position)) as score
from wanted_position
inner join ordered as below
    on
        wanted_position.population_key = below.population_key
        and wanted_position.node_key = below.node_key
        and below.position = floor(wanted_position.position)
inner join ordered as above
    on
        wanted_position.population_key = above.population_key
        and wanted_position.node_key = above.node_key
        and above.position = ceil(wanted_position.position)
