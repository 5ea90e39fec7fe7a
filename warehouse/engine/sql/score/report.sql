-- grain: unit with a report; how many of its leaves were reported, as zero, and with evidence
create or replace table report as
select
    unit_key,
    count(*) as reports,
    count(*) filter (where status = 'reported_zero') as zeros,
    count(*) filter (where is_evidenced) as evidenced
from reported
where status <> 'imputed'
group by unit_key
