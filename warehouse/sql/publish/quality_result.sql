-- grain: finding; with the sentences of the dictionary filled in
select
    $run_id as run_id,
    finding."check",
    rule.severity,
    finding.subject,
    finding.observed,
    finding.expected,
    replace(
        replace(replace(rule.message_id, '{subject}', finding.subject), '{observed}', coalesce(finding.observed, '-')),
        '{expected}', coalesce(finding.expected, '-')
    ) as message_id,
    replace(
        replace(replace(rule.message_en, '{subject}', finding.subject), '{observed}', coalesce(finding.observed, '-')),
        '{expected}', coalesce(finding.expected, '-')
    ) as message_en
from finding
inner join rule on finding."check" = rule.rule
order by finding."check", finding.subject, finding.observed, finding.expected
