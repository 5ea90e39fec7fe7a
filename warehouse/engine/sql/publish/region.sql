-- grain: region code of either generation
select
    code,
    level,
    name,
    parent,
    kind,
    valid_from,
    valid_to,
    code_2020,
    code_bps,
    law
from region_reference
order by code
