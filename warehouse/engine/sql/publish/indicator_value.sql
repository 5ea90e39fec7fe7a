-- grain: region x approach x leaf; what was reported, and the score it became; block by block of units. Numbers are
-- joined first and labels last: the rows that are joined stay narrow
with
place as (
    select
        unit.unit_key,
        node.node_key
    from unit
    cross join node
    where unit.unit_key between $first_unit and $last_unit and node.children_expected = 0
),

result as (
    select *
    from node_result
    where unit_key between $first_unit and $last_unit
),

stated as (
    select
        unit_key,
        node_key,
        raw_value,
        treated_value,
        cast(status as label) as status,
        extract_count,
        numerator,
        denominator,
        members_counted
    from reported
    where unit_key between $first_unit and $last_unit
),

exempt as (
    select
        unit_key,
        node_key
    from not_applicable
    where unit_key between $first_unit and $last_unit
),

scored as (
    select
        place.unit_key,
        place.node_key,
        stated.raw_value,
        stated.treated_value,
        case when exempt.unit_key is null then stated.status else cast('not_applicable' as label) end as status,
        stated.extract_count,
        stated.numerator,
        stated.denominator,
        stated.members_counted,
        result.score
    from place
    left join stated on place.unit_key = stated.unit_key and place.node_key = stated.node_key
    left join exempt on place.unit_key = exempt.unit_key and place.node_key = exempt.node_key
    left join result on place.unit_key = result.unit_key and place.node_key = result.node_key
)

select
    cast($edition as label) as edition,
    cast($period as label) as period,
    cast($as_of as date) as as_of,
    unit_label.region_level,
    unit_label.region_code,
    unit_label.approach,
    node_label.node_code,
    scored.raw_value,
    scored.treated_value,
    scored.score as normalised_value,
    coalesce(scored.status, cast('missing' as label)) as status,
    coalesce(scored.extract_count, 0) as extract_count,
    scored.numerator,
    scored.denominator,
    scored.members_counted as regions_counted,
    cast($is_synthetic as boolean) as is_synthetic,
    cast($snapshot_id as label) as snapshot_id
from scored
inner join unit_label on scored.unit_key = unit_label.unit_key
inner join node_label on scored.node_key = node_label.node_key
order by scored.unit_key, scored.node_key
