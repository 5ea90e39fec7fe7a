-- grain: population x node of the level; added to the scalings. `span` is null where the scale is not defined: all
-- values are equal, or the population is rolled up (its members are on the scale already). `factor` is what values
-- are multiplied by, null where more is done to them
insert into node_scaling
select
    population.population_key,
    node.node_key,
    case when node.normalisation = 'min_max' then node.direction else 1 end as direction,
    case when node.normalisation = 'min_max' then bound.lowest else 0.0 end as shift,
    case
        when node.normalisation = 'none' then 1.0
        when population.is_roll_up then null
        when node.normalisation = 'max' and bound.highest > 0 then bound.highest
        when node.normalisation = 'max' and bound.highest = 0 then 1.0
        when node.normalisation = 'min_max' and bound.highest > bound.lowest then bound.highest - bound.lowest
    end as span,
    case
        when node.normalisation = 'none' then 1.0
        when node.normalisation = 'max' and bound.highest = 0 then 0.0
        when node.normalisation = 'max' then node.score_highest
        else node.score_highest - node.score_lowest
    end as height,
    case when node.normalisation = 'min_max' then node.score_lowest else 0.0 end as base,
    case when node.normalisation <> 'min_max' then height / span end as factor
from population
cross join node
left join node_bound as bound
    on population.population_key = bound.population_key and node.node_key = bound.node_key
where node.node_level = $node_level
