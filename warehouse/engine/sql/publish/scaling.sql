-- grain: region level x approach x node; what values were capped and scaled by. Levels that are rolled up have none for
-- nodes that are normalised: their members are on the scale already
select
    $edition as edition,
    $period as period,
    population.region_level,
    population.approach,
    node.node_code,
    node.normalisation as method,
    scaling.lowest,
    scaling.highest,
    cap.cap,
    coalesce(cap.n, scaling.n) as n,
    cast(scaling.n_needed as bigint) as n_needed,
    scaling.basis,
    scaling.evidence,
    cast($is_synthetic as boolean) as is_synthetic,
    $snapshot_id as snapshot_id
from node_scaling as scaling
inner join population on scaling.population_key = population.population_key
inner join node on scaling.node_key = node.node_key
left join cap on scaling.population_key = cap.population_key and scaling.node_key = cap.node_key
where not (population.is_roll_up and node.normalisation <> 'none')
order by population.region_level, population.approach, node.node_code
