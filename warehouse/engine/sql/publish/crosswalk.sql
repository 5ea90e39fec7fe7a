-- grain: region code of any generation x region that it is today, or was divided into
select
    region_code,
    region_level,
    region_name,
    valid_from,
    valid_to,
    current_code,
    current_name,
    relation,
    carries,
    population_share,
    note,
    changed_on,
    law
from crosswalk
order by region_code, current_code
