-- grain: check with a finding; how many findings it has, and how many of them are critical
select
    "check" as finding,
    count(*) as finding_count,
    count(*) filter (where severity = 'critical') as critical_count
from quality_result
group by "check"
order by "check"
