-- grain: unit x leaf; the same observations as the engine reads them: numbered, region by region
select
    unit.population_key,
    unit.unit_key,
    node.node_key,
    plain.value as raw_value,
    plain.value as treated_value,
    case when plain.value = 0 then 'reported_zero' else 'reported' end as status,
    1::integer as extract_count,
    false as is_evidenced,
    false as is_score,
    null::double as numerator,
    null::double as denominator,
    null::integer as members_counted
from plain
inner join unit on plain.unit = unit.region_code
inner join node on plain.indicator = node.node_code
order by unit.unit_key, node.node_key
