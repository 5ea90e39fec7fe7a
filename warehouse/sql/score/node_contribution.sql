-- a function: for a block of units, what each node adds to the score of a parent that is computed as an arithmetic mean
-- or a sum; grain: unit x node
-- noqa: disable=RF02
create or replace macro node_contribution(first_unit, last_unit) as table
    select
        result.unit_key,
        result.node_key,
        child.parent_key,
        parent_result.score as parent_score,
        result.score * child.weight_units * node_sum.factor * case parent.aggregation
            when 'arithmetic_mean' then 1.0 / node_sum.weight_present
            when 'sum' then parent.children_weight_units / parent.weight_scale / node_sum.weight_present
        end as contribution
    from node_result as result
    inner join node as child on result.node_key = child.node_key
    inner join node as parent on child.parent_key = parent.node_key
    inner join node_result as parent_result
        on result.unit_key = parent_result.unit_key and child.parent_key = parent_result.node_key
    inner join node_sum on result.unit_key = node_sum.unit_key and child.parent_key = node_sum.node_key
    where
        result.unit_key between first_unit and last_unit
        and parent_result.unit_key between first_unit and last_unit
        and node_sum.unit_key between first_unit and last_unit
        and result.score is not null
        and parent_result.node_level > 1
        and parent_result.origin = 'computed'
        and node_sum.factor is not null
        and parent.aggregation in ('arithmetic_mean', 'sum')
