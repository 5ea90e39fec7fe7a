-- grain: population x node of the level; added to the scalings. `span` is null where the scale is not defined: too few
-- values are known to derive its bounds, all values are equal, or the population is rolled up (its members are on the
-- scale already). `factor` is what values are multiplied by, null where more is done to them
insert into node_scaling
with
bound as (
    select
        population.population_key,
        node.node_key,
        node.direction,
        node.normalisation,
        node.score_lowest,
        node.score_highest,
        coalesce(observed.n, 0) as n,
        expected.n_needed,
        coalesce(goalpost.evidence, node.evidence) as evidence,
        case
            when node.normalisation = 'none' or population.is_roll_up then 'none'
            when goalpost.node_key is not null then 'declared'
            else 'derived'
        end as basis,
        case
            when basis = 'declared' then goalpost.lowest
            when basis = 'derived' and observed.n >= expected.n_needed then observed.lowest
        end as lowest,
        case
            when basis = 'declared' then goalpost.highest
            when basis = 'derived' and observed.n >= expected.n_needed then observed.highest
        end as highest,
        coalesce(basis = 'declared' and observed.highest > goalpost.highest, false) as is_exceeded
    from population
    cross join node
    inner join node_expected as expected
        on population.population_key = expected.population_key and node.node_key = expected.node_key
    left join node_bound as observed
        on population.population_key = observed.population_key and node.node_key = observed.node_key
    left join goalpost
        on population.population_key = goalpost.population_key and node.node_key = goalpost.node_key
    where node.node_level = $node_level
)

select
    population_key,
    node_key,
    case when normalisation = 'min_max' then direction else 1 end as direction,
    case normalisation
        when 'none' then 0.0
        when 'max' then 0.0
        when 'min_max' then case when direction = 1 then lowest else -highest end
        else error('unknown normalisation: ' || normalisation)
    end as shift,
    case
        when normalisation = 'none' then 1.0
        when normalisation = 'max' and highest > 0 then highest
        when normalisation = 'max' and highest = 0 then 1.0
        when normalisation = 'min_max' and highest > lowest then highest - lowest
    end as span,
    case
        when normalisation = 'none' then 1.0
        when normalisation = 'max' and highest = 0 then 0.0
        when normalisation = 'max' then score_highest
        else score_highest - score_lowest
    end as height,
    case when normalisation = 'min_max' then score_lowest else 0.0 end as base,
    case when normalisation <> 'min_max' and not is_exceeded then height / span end as factor,
    case when normalisation = 'min_max' then score_lowest else '-infinity' end as score_floor,
    case when normalisation = 'none' then 'infinity' else score_highest end as score_ceiling,
    case when normalisation <> 'max' then lowest end as lowest,
    highest,
    n,
    n_needed,
    basis,
    evidence
from bound;

-- check scaling_below: a node whose bounds cannot be derived, as values of too few regions are known; nothing is scaled
-- by them
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
where derived.n > 0 and derived.n < derived.n_needed;

-- check beyond_goalpost: values beyond a declared bound, which count as the bound
insert into finding
select
    'beyond_goalpost' as "check",
    population.region_level || ' / ' || population.approach || ' / ' || node.node_code as subject,
    cast(bound.lowest as varchar) || ' - ' || cast(bound.highest as varchar) as observed,
    coalesce(cast(scaling.lowest as varchar), '...') || ' - ' || cast(scaling.highest as varchar) as expected
from node_scaling as scaling
inner join node_bound as bound
    on scaling.population_key = bound.population_key and scaling.node_key = bound.node_key
inner join population on scaling.population_key = population.population_key
inner join node on scaling.node_key = node.node_key
where scaling.basis = 'declared' and (bound.lowest < scaling.lowest or bound.highest > scaling.highest);

-- check no_variation: a node with min-max normalisation that has the same value everywhere
insert into finding
select
    'no_variation' as "check",
    population.region_level || ' / ' || population.approach || ' / ' || node.node_code as subject,
    cast(bound.lowest as varchar) as observed,
    cast(null as varchar) as expected
from node_bound as bound
inner join population on bound.population_key = population.population_key
inner join node on bound.node_key = node.node_key
inner join node_scaling as scaling
    on bound.population_key = scaling.population_key and bound.node_key = scaling.node_key
where node.normalisation = 'min_max' and scaling.basis = 'derived' and scaling.lowest = scaling.highest
