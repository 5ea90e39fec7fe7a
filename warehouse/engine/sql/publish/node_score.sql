-- grain: region x approach x node; every node of the tree, also where it is not known. Numbers by unit and node, in any
-- order and only where there are some; the rows of a block of units are put at their positions as they are written.
-- By name: a column that a part lacks is null, so parts may differ in columns (AM07)
with
share as (
    select
        unit_key,
        node_key,
        share
    from child_share
    where unit_key between $first_unit and $last_unit
)

select -- noqa: AM07
    result.unit_key,
    result.node_key,
    result.score,
    case when result.origin = 'computed' then result.score else overridden.computed_score end as computed_score,
    result.origin,
    result.score * node.weight_units * parent.share as contribution
from node_result as result
inner join node on result.node_key = node.node_key
left join overridden_score as overridden
    on result.unit_key = overridden.unit_key and result.node_key = overridden.node_key
left join share as parent on result.unit_key = parent.unit_key and node.parent_key = parent.node_key
where result.unit_key between $first_unit and $last_unit
union all by name
select
    unit_key,
    node_key,
    cast(children_present as integer) as children_present
from child_sum
where unit_key between $first_unit and $last_unit
union all by name
select
    entered_rank.unit_key,
    entered_rank.node_key,
    entered_rank.rank,
    cast(entered_rank.category as category) as category,
    case
        when result.unit_key is null
            then cast(case when entered_rank.rank is not null then 'entered_rank' else 'entered_category' end as origin)
    end as origin
from entered_rank
left join node_result as result on entered_rank.unit_key = result.unit_key and entered_rank.node_key = result.node_key
where entered_rank.unit_key between $first_unit and $last_unit
union all by name
select
    unit_key,
    node_key,
    rank,
    category
from score_rank
where unit_key between $first_unit and $last_unit
