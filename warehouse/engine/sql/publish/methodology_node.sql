-- grain: node; the tree as used
select
    $edition as edition,
    node_code,
    parent_node_code,
    node_level,
    kind,
    name_id,
    name_en,
    weight,
    effective_weight,
    direction,
    unit,
    normalisation,
    aggregation,
    missing,
    source_item,
    denominator as denominator_item,
    per,
    evidence,
    note,
    $snapshot_id as snapshot_id
from node
order by node_key
