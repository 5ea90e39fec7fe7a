-- grain: unit of the block x leaf without a report; it could be what was lowest and highest among those reported, and
-- what the edition counts it as
insert into score_end
with
leaf as (
    select node_key
    from node
    where children_expected = 0
),

gapped as (
    select
        unit.unit_key,
        unit.population_key
    from unit
    inner join population on unit.population_key = population.population_key
    left join report on unit.unit_key = report.unit_key
    where
        unit.unit_key between $first_unit and $last_unit
        -- of what is rolled up nothing is asked; where something is told all the same, the rest is a gap
        and (not population.is_roll_up or report.unit_key is not null)
        and coalesce(report.reports, 0) < (select count(*) from leaf)
),

told as (
    select
        unit_key,
        node_key
    from reported
    where unit_key between $first_unit and $last_unit and status <> 'imputed'
    union all
    select
        unit_key,
        node_key
    from not_applicable
    where unit_key between $first_unit and $last_unit
)

select
    gapped.unit_key,
    leaf.node_key,
    case when observed_range.lowest is not null then least(observed_range.lowest, result.score) end as lowest,
    case when observed_range.highest is not null then greatest(observed_range.highest, result.score) end as highest
from gapped
cross join leaf
left join observed_range
    on gapped.population_key = observed_range.population_key and leaf.node_key = observed_range.node_key
left join node_result as result on gapped.unit_key = result.unit_key and leaf.node_key = result.node_key
where
    (gapped.unit_key, leaf.node_key) not in (select (told.unit_key, told.node_key) from told)
    and result.origin is distinct from 'rolled_up'
    -- a leaf that all report alike has no scale, so no score, whatever is reported
    and (observed_range.node_key is null or observed_range.lowest is not null)
