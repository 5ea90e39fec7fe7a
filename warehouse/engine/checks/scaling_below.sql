-- fails: a node whose bounds cannot be derived, as values of too few regions are known; nothing is scaled by them
insert into finding
with
derived as (
    select
        population_key,
        node_key,
        n,
        n_needed
    from node_scaling
    where basis = 'derived'
    union all
    select
        cap.population_key,
        cap.node_key,
        cap.n,
        expected.n_needed
    from cap
    inner join node_expected as expected
        on cap.population_key = expected.population_key and cap.node_key = expected.node_key
)

select distinct
    'scaling_below' as "check",
    population.region_level || ' / ' || population.approach || ' / ' || node.node_code as subject,
    cast(derived.n as varchar) as observed,
    cast(derived.n_needed as varchar) as expected
from derived
inner join population on derived.population_key = population.population_key
inner join node on derived.node_key = node.node_key
where derived.n > 0 and derived.n < derived.n_needed
