-- grain: unit x node; the whole task as an analyst would write it in one statement, text keys and plain doubles
create or replace table scored as
with
observed as (
    select
        plain.unit,
        plain.indicator as node,
        plain.value * tree.direction as value,
        tree.parent,
        tree.weight
    from plain
    inner join tree on plain.indicator = tree.node
),

bound as (
    select
        node,
        min(value) as lowest,
        max(value) as highest
    from observed
    group by node
),

leaf as (
    select
        observed.unit,
        observed.node,
        observed.parent,
        observed.weight,
        (observed.value - bound.lowest) / (bound.highest - bound.lowest) * 100 as score
    from observed
    inner join bound on observed.node = bound.node
),

subdimension as (
    select
        unit,
        parent as node,
        sum(score * weight) / sum(weight) as score
    from leaf
    group by unit, parent
),

dimension as (
    select
        subdimension.unit,
        tree.parent as node,
        sum(subdimension.score * tree.weight) / sum(tree.weight) as score
    from subdimension
    inner join tree on subdimension.node = tree.node
    group by subdimension.unit, tree.parent
),

top as (
    select
        dimension.unit,
        tree.parent as node,
        sum(dimension.score * tree.weight) / sum(tree.weight) as score
    from dimension
    inner join tree on dimension.node = tree.node
    group by dimension.unit, tree.parent
),

node_score as (
    select
        unit,
        node,
        score
    from leaf
    union all
    select * from subdimension
    union all
    select * from dimension
    union all
    select * from top
),

score_moments as (
    select
        node,
        avg(score) as mean,
        stddev_samp(score) as sd
    from node_score
    group by node
)

select
    node_score.unit,
    node_score.node,
    node_score.score,
    rank() over (partition by node_score.node order by node_score.score desc) as rank,
    case
        when node_score.score < score_moments.mean - score_moments.sd then 'low'
        when node_score.score > score_moments.mean + score_moments.sd then 'high'
        else 'medium'
    end as category
from node_score
inner join score_moments on node_score.node = score_moments.node
