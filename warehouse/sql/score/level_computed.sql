-- grain: unit x node of the level; the computed score on the edition's scale. `factor` is what normalisation multiplied
-- by, null where it did more. A rolled-up population is not normalised: its members already are.
create or replace view level_computed as
select
    unit.population_key,
    raw.unit_key,
    raw.node_key,
    raw.children_present,
    raw.weight_present,
    case
        when node.normalisation = 'none' then raw.value
        when population.is_roll_up then null
        when node.normalisation = 'max' and bound.highest > 0 then raw.value / bound.highest * node.score_highest
        when node.normalisation = 'max' and bound.highest = 0 then 0
        when node.normalisation = 'min_max' and bound.highest > bound.lowest
            then
                (raw.value * node.direction - bound.lowest) / (bound.highest - bound.lowest)
                * (node.score_highest - node.score_lowest) + node.score_lowest
    end as score,
    case
        when node.normalisation = 'none' then 1
        when node.normalisation = 'max' and bound.highest > 0 then node.score_highest / bound.highest
        when node.normalisation = 'max' and bound.highest = 0 then 0
    end as factor
from level_raw as raw
inner join unit on raw.unit_key = unit.unit_key
inner join population on unit.population_key = population.population_key
inner join node on raw.node_key = node.node_key
left join node_bound as bound on unit.population_key = bound.population_key and raw.node_key = bound.node_key
