-- grain: figure in an extract; which file, sheet and row it comes from, and whether it was used
select
    $edition as edition,
    $period as period,
    cast($as_of as date) as as_of,
    region_level,
    region_code,
    approach,
    node_code,
    value,
    value_sent,
    state,
    correction,
    source,
    file_name,
    extract_sha256,
    sheet,
    row,
    reference,
    is_synthetic,
    $snapshot_id as snapshot_id
from observation
order by region_code, approach, node_code, state, extract_sha256, sheet, row
