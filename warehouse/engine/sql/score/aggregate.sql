-- grain: unit x node of the level and the block with a known child; its children together
insert into node_sum
select
    any_value(result.population_key) as population_key,
    result.unit_key,
    child.parent_key as node_key,
    count(*) as children_present,
    sum_no_overflow(child.weight_units) as weight_present,
    min(result.score) filter (where child.is_geometric) as lowest,
    sum_no_overflow(cast(round(child.scale * child.weight_units * case
        when not child.is_geometric then result.score
        when result.score > 0 then ln(result.score)
    end) as bigint)) as total
from node_result as result
inner join level_coverage as child on result.node_key = child.node_key
where child.parent_key between $first_node and $last_node
group by result.unit_key, child.parent_key
