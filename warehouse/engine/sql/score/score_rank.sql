-- grain: unit x node of the block; the rank of its score in its population (only where that is ranked and complete),
-- and its category (null where no bound decides); nothing where neither is to be given
insert into score_rank
with
judged as (
    select
        score_moments.population_key,
        score_moments.node_key,
        population.is_ranked and score_moments.is_complete and not score_moments.is_flat as is_ranked
    from score_moments
    inner join population on score_moments.population_key = population.population_key
    where
        score_moments.node_key between $first_node and $last_node
        and (
            (population.is_ranked and score_moments.is_complete and not score_moments.is_flat)
            or (score_moments.population_key, score_moments.node_key) in (
                select (bound.population_key, bound.node_key) from category_bound as bound
            )
        )
),

-- as the type that is inserted, so that no word is looked up again for every score
bound as (
    select
        population_key,
        node_key,
        cast(category as category) as category,
        first_score,
        last_score
    from category_bound
),

ranked as (
    select
        result.population_key,
        result.unit_key,
        result.node_key,
        result.score,
        judged.is_ranked,
        rank() over (partition by result.population_key, result.node_key order by result.score desc) as rank
    from node_result as result
    inner join judged on result.population_key = judged.population_key and result.node_key = judged.node_key
    where result.node_key between $first_node and $last_node
)

select
    ranked.unit_key,
    ranked.node_key,
    case when ranked.is_ranked then ranked.rank end as rank,
    bound.category
from ranked
left join bound
    on
        ranked.population_key = bound.population_key
        and ranked.node_key = bound.node_key
        and ranked.score between bound.first_score and bound.last_score;

-- check rank_differs: a published rank that is not the one of the score
insert into finding
select
    'rank_differs' as "check",
    unit.label || ' / ' || node.node_code as subject,
    cast(entered_rank.rank as varchar) as observed,
    cast(ranking.rank as varchar) as expected
from entered_rank
inner join score_rank as ranking
    on entered_rank.unit_key = ranking.unit_key and entered_rank.node_key = ranking.node_key
inner join unit on entered_rank.unit_key = unit.unit_key
inner join node on entered_rank.node_key = node.node_key
where entered_rank.rank <> ranking.rank;

-- check category_differs: a published category that is not the one of the score by the cut-offs
insert into finding
select
    'category_differs' as "check",
    unit.label || ' / ' || node.node_code as subject,
    entered_rank.category as observed,
    cast(ranking.category as varchar) as expected
from entered_rank
inner join score_rank as ranking
    on entered_rank.unit_key = ranking.unit_key and entered_rank.node_key = ranking.node_key
inner join unit on entered_rank.unit_key = unit.unit_key
inner join node on entered_rank.node_key = node.node_key
where entered_rank.category <> cast(ranking.category as varchar);

-- check unclassified: a score that lies where no published bound decides its category
insert into finding
select
    'unclassified' as "check",
    unit.label || ' / ' || node.node_code as subject,
    cast(round(result.score, 6) as varchar) as observed,
    cast(null as varchar) as expected
from score_rank as ranking
inner join unit on ranking.unit_key = unit.unit_key
inner join node on ranking.node_key = node.node_key
inner join node_result as result on ranking.unit_key = result.unit_key and ranking.node_key = result.node_key
where
    ranking.category is null
    and (unit.population_key, ranking.node_key) in (
        select (bound.population_key, bound.node_key) from category_bound as bound
    )
