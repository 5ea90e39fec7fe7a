-- grain: finding; with the sentences of the dictionary filled in
select
    $run_id as run_id,
    coalesce(rule.scope, 'content') as scope,
    finding."check",
    coalesce(rule.severity, 'critical') as severity,
    finding.subject,
    finding.observed,
    finding.expected,
    replace(
        replace(
            replace(coalesce(rule.message_id, '{subject}'), '{subject}', finding.subject),
            '{observed}', coalesce(finding.observed, '-')
        ),
        '{expected}', coalesce(finding.expected, '-')
    ) as message_id,
    replace(
        replace(
            replace(coalesce(rule.message_en, '{subject}'), '{subject}', finding.subject),
            '{observed}', coalesce(finding.observed, '-')
        ),
        '{expected}', coalesce(finding.expected, '-')
    ) as message_en
from finding
left join rule on finding."check" = rule.rule
order by finding."check", finding.subject, finding.observed, finding.expected
