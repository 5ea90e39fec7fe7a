-- grain: unit x node of the level whose computed score is about to be overridden; kept to be compared with, and
-- published as computed_score
insert into overridden_score
select
    result.unit_key,
    result.node_key,
    result.score as computed_score
from node_result as result
inner join noncomputed_score as noncomputed
    on result.unit_key = noncomputed.unit_key and result.node_key = noncomputed.node_key
where result.origin = 'computed';

-- check entered_differs: an entered score further from the one computed of its parts than rounding explains: half a
-- unit of the total plus the weighted half units of the parts (which is right for sums and arithmetic means that are
-- not normalised)
insert into finding
select
    'entered_differs' as "check",
    unit.label || ' / ' || node.node_code as subject,
    cast(result.score as varchar) as observed,
    cast(round(overridden.computed_score, 6) as varchar) as expected
from node_result as result
inner join overridden_score as overridden
    on result.unit_key = overridden.unit_key and result.node_key = overridden.node_key
inner join unit on result.unit_key = unit.unit_key
inner join node on result.node_key = node.node_key
where
    result.origin = 'entered'
    and node.normalisation = 'none'
    and abs(result.score - overridden.computed_score) > $half_unit * half_units(node) + 1e-9
