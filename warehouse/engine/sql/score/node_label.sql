-- grain: node; what published rows call it and say of it
create or replace table node_label as
select
    node_key,
    cast(node_code as label) as node_code,
    cast(parent_node_code as label) as parent_node_code,
    node_level,
    weight,
    effective_weight,
    weight_units,
    children_expected
from node
