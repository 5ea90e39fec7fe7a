-- grain: unit; what published rows call it
create or replace table unit_label as
select
    unit_key,
    cast(region_level as label) as region_level,
    region_code,
    region_name,
    parent_region_code,
    cast(approach as label) as approach
from unit
