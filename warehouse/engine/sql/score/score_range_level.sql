-- grain: unit x node of the level with a child that has a range; the lowest and the highest scores of children,
-- combined as scores are, with scaling as it is: values beyond a bound count as the end of the scale. Where weights are
-- rescaled over what is known, the score may lie outside; the range is then extended to it
insert into score_range
with
affected as (
    select distinct
        score_range.unit_key,
        child.parent_key as node_key
    from score_range
    inner join node as child on score_range.node_key = child.node_key
    left join node_result as result
        on score_range.unit_key = result.unit_key and child.parent_key = result.node_key
    where
        child.node_level = $node_level - 1
        -- what was entered or rolled up is not made of its children
        and coalesce(result.origin, 'computed') = 'computed'
),

part as (
    select
        affected.unit_key,
        affected.node_key,
        child.weight_units,
        case when score_range.unit_key is null then result.score else score_range.lowest end as lowest,
        case when score_range.unit_key is null then result.score else score_range.highest end as highest
    from affected
    inner join node as parent on affected.node_key = parent.node_key
    inner join node as child on affected.node_key = child.parent_key
    left join score_range on affected.unit_key = score_range.unit_key and child.node_key = score_range.node_key
    left join node_result as result on affected.unit_key = result.unit_key and child.node_key = result.node_key
    where (affected.unit_key, child.node_key) not in (
        select (exempt.unit_key, exempt.node_key) from not_applicable as exempt
    )
    -- what nobody's score knows is left out where the score leaves it out
    and (parent.missing = 'complete' or score_range.unit_key is not null or result.score is not null)
),

term as (
    select
        part.unit_key,
        part.node_key,
        part.weight_units,
        part.lowest as least_score,
        part.highest as greatest_score,
        weighted_term(node.aggregation, part.lowest, part.weight_units) as lowest,
        weighted_term(node.aggregation, part.highest, part.weight_units) as highest
    from part
    inner join node on part.node_key = node.node_key
),

scale as (
    select
        term.node_key,
        exact_scale(max(node.children_expected * greatest(abs(term.lowest), abs(term.highest)))) as scale
    from term
    inner join node on term.node_key = node.node_key
    group by term.node_key
),

total as (
    select
        term.unit_key,
        term.node_key,
        count(*) as parts,
        sum_no_overflow(term.weight_units) as weight_units,
        count(term.least_score) as lowest_known,
        count(term.greatest_score) as highest_known,
        min(term.least_score) as least_score,
        max(term.least_score) as greatest_of_least,
        min(term.greatest_score) as least_of_greatest,
        max(term.greatest_score) as greatest_score,
        sum_no_overflow(exact_term(term.lowest, scale.scale)) / any_value(scale.scale) as lowest,
        sum_no_overflow(exact_term(term.highest, scale.scale)) / any_value(scale.scale) as highest
    from term
    inner join scale on term.node_key = scale.node_key
    group by term.unit_key, term.node_key
),

raw as (
    select
        total.unit_key,
        total.node_key,
        case
            when total.lowest_known = total.parts
                then combined(
                    node, total.lowest, total.weight_units, total.least_score,
                    total.least_score, total.greatest_of_least
                )
        end as lowest,
        case
            when total.highest_known = total.parts
                then combined(
                    node, total.highest, total.weight_units, total.least_of_greatest,
                    total.least_of_greatest, total.greatest_score
                )
        end as highest
    from total
    inner join node on total.node_key = node.node_key
    where node.children_weight_units is not null
)

select
    raw.unit_key,
    raw.node_key,
    case
        when raw.lowest is not null and scaling.span is not null
            then least(scaled(raw.lowest, scaling), result.score)
    end as lowest,
    case
        when raw.highest is not null and scaling.span is not null
            then greatest(scaled(raw.highest, scaling), result.score)
    end as highest
from raw
inner join unit on raw.unit_key = unit.unit_key
inner join node_scaling as scaling
    on unit.population_key = scaling.population_key and raw.node_key = scaling.node_key
left join node_result as result on raw.unit_key = result.unit_key and raw.node_key = result.node_key
-- of what has no scale there is no score, whatever is reported; but where too little is known to make one, nobody can
-- say what it would be
where scaling.span is not null or (scaling.basis = 'derived' and scaling.n < scaling.n_needed)
