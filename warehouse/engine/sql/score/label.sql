-- a type: the short texts that published rows repeat; written as dictionaries, not letter by letter
create type label as enum (  -- noqa: CV07
    select $edition
    union
    select $period
    union
    select $snapshot_id
    union
    select region_level from population
    union
    select approach from population
    union
    select node_code from node
    union
    select category from cut_off_span
    union
    select category from stated
    where category is not null
    union
    select unnest(enum_range(cast(null as origin)))
    union
    select unnest(['reported', 'reported_zero', 'imputed', 'missing', 'not_applicable'])
    union
    select unnest(['entered_category', 'entered_rank'])
)
