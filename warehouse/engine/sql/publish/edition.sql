-- grain: one row; what has to be known to put figures of the edition beside those of others
select
    $edition as edition,
    $period as period,
    title_id,
    title_en,
    status as edition_status,
    revision,
    reference_period,
    regions_date,
    territory,
    scale_lowest,
    scale_highest,
    comparability,
    reference as publications,
    $snapshot_id as snapshot_id
from edition
