-- grain: population x node; how many scores are known, their mean, sample standard deviation, the
-- lowest and the highest; `is_flat` where these differ by less than the published figures show; filled block by block
create or replace table score_moments (
    population_key smallint,
    node_key smallint,
    n bigint,
    mean double,
    sd double,
    lowest double,
    highest double,
    is_complete boolean,
    is_flat boolean
)
