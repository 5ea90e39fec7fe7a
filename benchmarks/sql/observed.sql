-- grain: unit x indicator that is not blank; made by integer arithmetic only, so that any language makes the same
with
number as (
    select
        range // 61 + 1 as i,
        range % 61 + 1 as j
    from range(0, $units * 61)
),

-- two streams of one generator: the first gives the value, the second the gaps
first_step as (
    select
        i,
        j,
        ((i * 1103515245 + j * 1357911 + 12345) % 2147483647 * 48271 % 2147483647 + 7919 * j * j + i)
        % 2147483647 as value_seed,
        ((i * 1103515245 + j * 1357911 + 24690) % 2147483647 * 48271 % 2147483647 + 7919 * j * j + i)
        % 2147483647 as gap_seed
    from number
),

drawn as (
    select
        i,
        j,
        value_seed * 69621 % 2147483647 / 2147483647.0::double as u,
        gap_seed * 69621 % 2147483647 / 2147483647.0::double as gap
    from first_step
)

select
    'U' || lpad(i::varchar, 7, '0') as unit,
    'i' || lpad(j::varchar, 2, '0') as indicator,
    case j % 3
        when 0 then case when u < 0.3 then 1.0 else 0.0 end
        when 1 then floor(20 * u * u)
        else 1000 * u * u * u
    end as value
from drawn
where i <= 2 or gap >= $gap
