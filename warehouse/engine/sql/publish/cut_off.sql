-- grain: region level x approach x node x category; only bounds that are known
select
    $edition as edition,
    $period as period,
    population.region_level,
    population.approach,
    node.node_code,
    bound.category,
    bound.lower_bound as lower,
    bound.upper_bound as upper,
    bound.closed_side,
    bound.basis,
    bound.n,
    bound.evidence,
    $snapshot_id as snapshot_id
from category_bound as bound
inner join population on bound.population_key = population.population_key
inner join node on bound.node_key = node.node_key
order by
    population.region_level, population.approach, node.node_code, bound.lower_bound nulls first, bound.upper_bound
