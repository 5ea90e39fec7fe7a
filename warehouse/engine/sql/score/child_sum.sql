-- grain: unit of the block x node of the level with a known child; its children together
insert into child_sum
select
    any_value(result.population_key) as population_key,
    result.unit_key,
    child.parent_key as node_key,
    count(*) as children_present,
    sum_no_overflow(child.weight_units) as weight_present,
    min(result.score) as lowest,
    sum_no_overflow(exact_term(
        weighted_term(parent.aggregation, result.score, child.weight_units), child.scale
    )) as total
from node_result as result
inner join child_term as child on result.node_key = child.node_key
inner join node as parent on child.parent_key = parent.node_key
where result.unit_key between $first_unit and $last_unit and parent.node_level = $node_level
group by result.unit_key, child.parent_key
