-- grain: unit x leaf with a value; leaves before normalisation (finished scores enter later, beside them)
create or replace view level_raw as
select
    population_key,
    unit_key,
    node_key,
    treated_value as value
from reported
where not is_score and treated_value is not null
