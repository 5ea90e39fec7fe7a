-- grain: unit x node whose parent is computed as an arithmetic mean or a sum; what it adds to the parent's score
create or replace table node_contribution as
select
    result.unit_key,
    result.node_key,
    child.parent_key,
    result.score * child.weight_units * parent_result.factor * case parent.aggregation
        when 'arithmetic_mean' then 1.0 / parent_result.weight_present
        when 'sum' then parent.children_weight_units / parent.weight_scale / parent_result.weight_present
    end as contribution
from node_result as result
inner join node as child on result.node_key = child.node_key
inner join node as parent on child.parent_key = parent.node_key
inner join node_result as parent_result
    on result.unit_key = parent_result.unit_key and child.parent_key = parent_result.node_key
where
    result.score is not null
    and parent_result.origin = 'computed'
    and parent_result.factor is not null
    and parent.aggregation in ('arithmetic_mean', 'sum')
