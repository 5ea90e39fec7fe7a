-- grain: region x approach x node; every node of the tree, also where it is not known; block by block of units. Numbers
-- are joined first and labels last: the rows that are joined stay narrow
with
place as (
    select
        unit.unit_key,
        node.node_key,
        node.parent_key
    from unit
    cross join node
    where unit.unit_key between $first_unit and $last_unit
),

result as (
    select *
    from node_result
    where unit_key between $first_unit and $last_unit
),

ranking as (
    select *
    from node_rank
    where unit_key between $first_unit and $last_unit
),

given as (
    select
        unit_key,
        node_key,
        cast(category as label) as category,
        rank,
        cast(case when rank is not null then 'entered_rank' else 'entered_category' end as label) as origin
    from stated
    where unit_key between $first_unit and $last_unit
),

share as (
    select *
    from node_share
    where unit_key between $first_unit and $last_unit
),

scored as (
    select
        place.unit_key,
        place.node_key,
        result.score,
        result.origin,
        overridden.computed_score,
        coalesce(ranking.place, given.rank) as place,
        coalesce(cast(ranking.category as label), given.category) as category,
        coalesce(cast(result.origin as label), given.origin) as named_origin,
        own.children_present,
        parent.share
    from place
    left join result on place.unit_key = result.unit_key and place.node_key = result.node_key
    left join node_overridden as overridden
        on place.unit_key = overridden.unit_key and place.node_key = overridden.node_key
    left join ranking on place.unit_key = ranking.unit_key and place.node_key = ranking.node_key
    left join given on place.unit_key = given.unit_key and place.node_key = given.node_key
    left join share as own on place.unit_key = own.unit_key and place.node_key = own.node_key
    left join share as parent on place.unit_key = parent.unit_key and place.parent_key = parent.node_key
)

select
    cast($edition as label) as edition,
    cast($period as label) as period,
    cast($as_of as date) as as_of,
    unit_label.region_level,
    unit_label.region_code,
    unit_label.region_name,
    unit_label.parent_region_code,
    unit_label.approach,
    node_label.node_code,
    node_label.parent_node_code,
    node_label.node_level,
    scored.score,
    case when scored.origin = 'computed' then scored.score else scored.computed_score end as computed_score,
    scored.named_origin as origin,
    node_label.weight,
    node_label.effective_weight,
    scored.score * node_label.weight_units * scored.share as contribution,
    cast(scored.place as bigint) as rank,
    scored.category,
    node_label.children_expected,
    cast(coalesce(scored.children_present, 0) as integer) as children_present,
    cast($is_synthetic as boolean) as is_synthetic,
    cast($snapshot_id as label) as snapshot_id
from scored
inner join unit_label on scored.unit_key = unit_label.unit_key
inner join node_label on scored.node_key = node_label.node_key
order by scored.unit_key, scored.node_key
