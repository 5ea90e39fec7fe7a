-- grain: unit of the block x node of the level at hand with a known child; its children together
insert into level_sum
select
    s.unit_key,
    cast(child.parent_key as smallint) as node_key,
    cast(count(*) as smallint) as children_present,
    sum_no_overflow(child.weight_units) as weight_present,
    min(s.score) as lowest,
    sum_no_overflow(cast(round(reach.scale * child.weight_units * case
        when parent.aggregation <> 'geometric_mean' then s.score
        when s.score > 0 then ln(s.score)
    end) as bigint)) / any_value(reach.scale) as total
from node_result as s
inner join node as child on s.node_key = child.node_key
inner join node as parent on child.parent_key = parent.node_key
inner join level_reach as reach on child.parent_key = reach.node_key
where s.node_level = $node_level - 1 and s.score is not null and s.unit_key between $first_unit and $last_unit
group by s.unit_key, child.parent_key
