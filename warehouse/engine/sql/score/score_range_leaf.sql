-- grain: unit of the block x leaf without a report, or entered node that has parts. A leaf could be what was lowest and
-- highest among those reported, and what the edition counts it as; of an entered node nobody knows what was blank
-- among its parts
insert into score_range
with
leaf as (
    select node_key
    from node
    where children_expected = 0
),

incomplete as (
    select
        unit.unit_key,
        unit.population_key,
        report.reported_nodes
    from unit
    inner join population on unit.population_key = population.population_key
    left join report on unit.unit_key = report.unit_key
    where
        unit.unit_key between $first_unit and $last_unit
        -- of what is rolled up nothing is required; where something is reported all the same, the rest is a gap
        and (not population.is_roll_up or report.reports > 0)
        and coalesce(report.reports, 0) < (select count(*) from leaf)
),

gap as (
    select
        incomplete.unit_key,
        incomplete.population_key,
        leaf.node_key
    from incomplete
    cross join leaf
    where
        not has_node(incomplete.reported_nodes, leaf.node_key)
        and (incomplete.unit_key, leaf.node_key) not in (
            select (exempt.unit_key, exempt.node_key) from not_applicable as exempt
        )
)

select
    gap.unit_key,
    gap.node_key,
    case when observed_range.lowest is not null then least(observed_range.lowest, result.score) end as lowest,
    case when observed_range.highest is not null then greatest(observed_range.highest, result.score) end as highest
from gap
left join observed_range
    on gap.population_key = observed_range.population_key and gap.node_key = observed_range.node_key
left join node_result as result on gap.unit_key = result.unit_key and gap.node_key = result.node_key
where
    result.origin is distinct from 'rolled_up'
    -- a leaf that all report alike has no scale, so no score, whatever is reported
    and (observed_range.node_key is null or observed_range.lowest is not null)
union all
select
    result.unit_key,
    result.node_key,
    null as lowest,
    null as highest
from node_result as result
inner join node on result.node_key = node.node_key
where
    result.unit_key between $first_unit and $last_unit
    and result.origin = 'entered' and node.children_expected > 0
