-- grain: unit x node of the level above one whose score could be another; made of the ends of its children as scores
-- are made, with the bounds of the level as they are: what lies beyond them counts as the end of the scale. The score
-- that it has lies between its ends: over what is known, weights may be rescaled so that it is beyond what all could be
insert into score_end
with
touched as (
    select distinct
        score_end.unit_key,
        child.parent_key as node_key
    from score_end
    inner join node as child on score_end.node_key = child.node_key
    left join node_result as result
        on score_end.unit_key = result.unit_key and child.parent_key = result.node_key
    where
        child.node_level = $node_level - 1
        -- what was entered or rolled up is not made of its children
        and coalesce(result.origin, 'computed') = 'computed'
),

part as (
    select
        touched.unit_key,
        touched.node_key,
        child.weight_units,
        case when score_end.unit_key is null then result.score else score_end.lowest end as lowest,
        case when score_end.unit_key is null then result.score else score_end.highest end as highest
    from touched
    inner join node as parent on touched.node_key = parent.node_key
    inner join node as child on touched.node_key = child.parent_key
    left join score_end on touched.unit_key = score_end.unit_key and child.node_key = score_end.node_key
    left join node_result as result on touched.unit_key = result.unit_key and child.node_key = result.node_key
    where (touched.unit_key, child.node_key) not in (
        select (place.unit_key, place.node_key) from not_applicable as place
    )
    -- what nobody's score knows is left out where the score leaves it out
    and (parent.missing = 'complete' or score_end.unit_key is not null or result.score is not null)
),

term as (
    select
        part.unit_key,
        part.node_key,
        part.weight_units,
        part.lowest as least_score,
        part.weight_units
        * case
            when node.aggregation = 'geometric_mean' then ln(nullif(greatest(part.lowest, 0), 0)) else part.lowest
        end as lowest,
        part.weight_units
        * case
            when node.aggregation = 'geometric_mean' then ln(nullif(greatest(part.highest, 0), 0)) else part.highest
        end as highest,
        part.highest as greatest_score
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
        sum_no_overflow(cast(round(term.lowest * scale.scale) as bigint)) / any_value(scale.scale) as lowest,
        sum_no_overflow(cast(round(term.highest * scale.scale) as bigint)) / any_value(scale.scale) as highest
    from term
    inner join scale on term.node_key = scale.node_key
    group by term.unit_key, term.node_key
),

raw as (
    select
        total.unit_key,
        total.node_key,
        case
            when total.lowest_known < total.parts then null
            when node.aggregation = 'sum'
                then total.lowest / node.weight_scale * node.children_weight_units / total.weight_units
            when node.aggregation = 'arithmetic_mean'
                then
                    greatest(
                        least(total.lowest / total.weight_units, total.greatest_of_least), total.least_score
                    )
            when node.aggregation <> 'geometric_mean' then error('unknown aggregation: ' || node.aggregation)
            when total.least_score > 0
                then
                    greatest(
                        least(exp(total.lowest / total.weight_units), total.greatest_of_least), total.least_score
                    )
            when total.least_score = 0 then 0
        end as lowest,
        case
            when total.highest_known < total.parts then null
            when node.aggregation = 'sum'
                then total.highest / node.weight_scale * node.children_weight_units / total.weight_units
            when node.aggregation = 'arithmetic_mean'
                then
                    greatest(
                        least(total.highest / total.weight_units, total.greatest_score), total.least_of_greatest
                    )
            when node.aggregation <> 'geometric_mean' then error('unknown aggregation: ' || node.aggregation)
            when total.least_of_greatest > 0
                then
                    greatest(
                        least(exp(total.highest / total.weight_units), total.greatest_score), total.least_of_greatest
                    )
            when total.least_of_greatest = 0 then 0
        end as highest
    from total
    inner join node on total.node_key = node.node_key
    where node.children_weight_units is not null
),

scaled as (
    select
        raw.unit_key,
        raw.node_key,
        result.score,
        scaling.score_floor,
        scaling.score_ceiling,
        (raw.lowest * scaling.direction - scaling.shift) / scaling.span * scaling.height + scaling.base as lowest,
        (raw.highest * scaling.direction - scaling.shift) / scaling.span * scaling.height + scaling.base as highest
    from raw
    inner join unit on raw.unit_key = unit.unit_key
    inner join node_scaling as scaling
        on unit.population_key = scaling.population_key and raw.node_key = scaling.node_key
    left join node_result as result on raw.unit_key = result.unit_key and raw.node_key = result.node_key
    -- of what has no scale there is no score, whatever is reported; but where too little is known to make one, nobody
    -- can tell what it would be
    where scaling.span is not null or (scaling.basis = 'derived' and scaling.n < scaling.n_needed)
)

select
    unit_key,
    node_key,
    case when lowest is not null then least(greatest(lowest, score_floor), score_ceiling, score) end as lowest,
    case when highest is not null then greatest(least(highest, score_ceiling), score_floor, score) end as highest
from scaled
