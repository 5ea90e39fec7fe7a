-- grain: unit x node of the level and the block whose score can be computed; on the edition's scale, beyond
-- whose ends no bound leads, added to the result
insert into node_result
select
    raw.population_key,
    raw.unit_key,
    raw.node_key,
    greatest(
        least(
            (raw.value * scaling.direction - scaling.shift) / scaling.span * scaling.height + scaling.base,
            scaling.score_ceiling
        ),
        scaling.score_floor
    ) as score,
    'computed' as origin
from level_raw as raw
inner join node_scaling as scaling
    on raw.population_key = scaling.population_key and raw.node_key = scaling.node_key
where raw.value is not null and scaling.span is not null and raw.node_key between $first_node and $last_node
