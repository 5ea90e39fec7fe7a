-- grain: population x node; how many scores are known, their mean and sample standard deviation; filled block by block
create or replace table spread (
    population_key smallint,
    node_key smallint,
    n bigint,
    mean double,
    sd double,
    is_complete boolean
)
