-- grain: region x approach x leaf; what was reported, and the score it became. Numbers by unit and node, in any order
-- and only where there are some; the rows of a block of units are put at their positions as they are written.
-- By name: a column that a part lacks is null, so parts may differ in columns (AM07)
with
leaf as (
    select node_key
    from node
    where children_expected = 0
)

select -- noqa: AM07
    reported.unit_key,
    reported.node_key,
    reported.raw_value,
    reported.treated_value,
    cast(reported.status as status) as status,
    reported.extract_count,
    reported.numerator,
    reported.denominator,
    reported.members_counted as regions_counted
from reported
semi join leaf on reported.node_key = leaf.node_key
where reported.unit_key between $first_unit and $last_unit
union all by name
select
    not_applicable.unit_key,
    not_applicable.node_key,
    cast('not_applicable' as status) as status
from not_applicable
semi join leaf on not_applicable.node_key = leaf.node_key
where not_applicable.unit_key between $first_unit and $last_unit
union all by name
select
    result.unit_key,
    result.node_key,
    result.score as normalised_value
from node_result as result
semi join leaf on result.node_key = leaf.node_key
where result.unit_key between $first_unit and $last_unit
