-- types, macros and tables of the engine. The name of a statement of sql/score/ begins with the table that it fills

-- how a score, or the rank or category that was published instead of it, came about; narrow, as every score has one
create type origin as enum('computed', 'entered', 'rolled_up', 'entered_rank', 'entered_category');

-- what became of a report
create type status as enum('reported', 'reported_zero', 'imputed', 'missing', 'not_applicable');

-- the categories that cut-offs of the edition name, and those that were published
create type category as enum (  -- noqa: CV07
    select category from cut_off_span
    union
    select category from entered_rank
    where category is not null
    union
    select ''
);

-- the power of two that lifts terms of at most `largest` to just below 2^61, where sums of them, rounded to integers,
-- are exact whatever the order and the number of threads
create macro exact_scale(largest) as
case when largest > 0 and isfinite(largest) then pow(2, least(60 - floor(log2(largest)), 1000)) else 1 end;

-- a term of an exact sum
create macro exact_term(term, scale) as cast(round(term * scale) as bigint);

-- a number, or the bound that it lies beyond; null where the number is not known
create macro limited(number, lowest, highest) as
case when number is not null then greatest(least(number, highest), lowest) end;

-- a value on the scale of a row of node_scaling, kept between the ends of the scale
create macro scaled(value, scaling) as limited(
    (value * scaling.direction - scaling.shift) / scaling.span * scaling.height + scaling.base,
    scaling.score_floor,
    scaling.score_ceiling
);

-- how an aggregation makes a node of its children: these four macros, and no other statement, know its name

-- what a child's score adds to its parent: times its weight; its logarithm for a geometric mean, where 0 has none. Of
-- the scores that have a term, the largest term is that of the lowest or of the highest
create macro weighted_term(aggregation, score, weight_units) as weight_units * case aggregation
    when 'arithmetic_mean' then score
    when 'sum' then score
    when 'geometric_mean' then ln(case when score > 0 then score end)
    else error('unknown aggregation: ' || aggregation)
end;

-- what the terms of the children of a node come to: no less where a score is higher. A mean lies between what it is
-- the mean of, also where its last digit is rounded; `smallest` is the lowest score of a child
create macro combined(node, total, weight_units, smallest, lowest, highest) as case node.aggregation
    when 'arithmetic_mean' then limited(total / weight_units, lowest, highest)
    when 'sum' then total / node.weight_scale * node.children_weight_units / weight_units
    when 'geometric_mean'
        then case
            when smallest > 0 then limited(exp(total / weight_units), lowest, highest)
            when smallest = 0 then 0
        end
    else error('unknown aggregation: ' || node.aggregation)
end;

-- what a child's weighted score is multiplied by to be its contribution to a node that is then multiplied by `factor`;
-- null where the scores are not simply added
create macro share_of_score(node, factor, weight_units) as case node.aggregation
    when 'arithmetic_mean' then factor / weight_units
    when 'sum' then factor / weight_units * node.children_weight_units / node.weight_scale
    when 'geometric_mean' then null
    else error('unknown aggregation: ' || node.aggregation)
end;

-- how many half units a rounded node may lie from the one made of its rounded children: its own, and the weighted ones
-- of these; null where that is not known
create macro half_units(node) as case node.aggregation
    when 'arithmetic_mean' then 2
    when 'sum' then 1 + node.children_weight_units / node.weight_scale
    when 'geometric_mean' then null
    else error('unknown aggregation: ' || node.aggregation)
end;

-- whether a node is among those of a string of bits
create macro has_node(nodes, node_key) as coalesce(get_bit(nodes, node_key - 1) = 1, false);

-- how many regions below a roll-up requires
create macro members_needed(member, roll_up_exempt) as
(member.members - coalesce(roll_up_exempt.exempt, 0)) * member.min_share - 1e-9;

-- grain: population x node, filled level by level; how many values are known before they are normalised, the lowest and
-- the highest
create table node_bound (
    population_key integer,
    node_key integer,
    n bigint,
    lowest double,
    highest double
);

-- grain: population x node, filled level by level; what values are turned, shifted, divided by and stretched to, and
-- the ends that scores do not leave. `lowest` and `highest` are the bounds behind it, `basis` where they come from
-- (declared; derived from the `n` values known, of which `n_needed` are needed)
create table node_scaling (
    population_key smallint,
    node_key smallint,
    direction integer,
    shift double,
    span double,
    height double,
    base double,
    factor double,
    score_floor double,
    score_ceiling double,
    lowest double,
    highest double,
    n bigint,
    n_needed integer,
    basis varchar,
    evidence varchar
);

-- grain: unit x node whose score is known; filled level by level, kept narrow because it is large
create table node_result (
    population_key smallint,
    unit_key integer,
    node_key smallint,
    score double,
    origin origin
);

-- grain: unit x node with a computed score that an entered or rolled-up one overrides, filled level by level
create table overridden_score (
    unit_key integer,
    node_key smallint,
    computed_score double
);

-- grain: node that has a parent, filled level by level; what the exact sum of its siblings is lifted by, and between
-- which scores it lies
create table child_term (
    node_key integer,
    parent_key integer,
    weight_units bigint,
    lowest double,
    highest double,
    scale double
);

-- grain: unit x aggregated node with a known child, filled level by level; its children together (`total` lifted by
-- the scale of the node)
create table child_sum (
    population_key smallint,
    unit_key integer,
    node_key smallint,
    children_present smallint,
    weight_present bigint,
    lowest double,
    total bigint
);

-- grain: population x node; how many scores are known, their mean, sample standard deviation, the
-- lowest and the highest; `is_flat` where these differ by less than the published figures show; filled block by block
create table score_moments (
    population_key smallint,
    node_key smallint,
    n bigint,
    mean double,
    sd double,
    lowest double,
    highest double,
    is_complete boolean,
    is_flat boolean
);

-- grain: unit x node whose rank or category counts, filled block by block
create table score_rank (
    unit_key integer,
    node_key smallint,
    rank integer,
    category category
);

-- grain: unit x node that is not reported, or made of such; the lowest and the highest score it could have, filled
-- level by level. A score that is known lies between them. Null where an end is not known: no region reported the
-- leaf, so that no range was observed, or it rests on a figure that was entered whole
create table score_range (
    unit_key integer,
    node_key smallint,
    lowest double,
    highest double
)
