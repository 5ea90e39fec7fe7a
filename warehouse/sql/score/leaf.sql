-- grain: unit x leaf with a value; leaves before normalisation (finished scores enter later, beside them)
create or replace view level_raw as
select
    unit_key,
    node_key,
    treated_value as value,
    0 as children_present,
    cast(null as bigint) as weight_present
from reported
where not is_score and treated_value is not null
