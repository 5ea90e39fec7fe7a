-- grain: unit x aggregated node of the level; what its contributions are made of
insert into node_sum
select
    unit_key,
    node_key,
    weight_present,
    factor
from level_computed
where weight_present is not null
