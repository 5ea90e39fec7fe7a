-- grain: unit x aggregated node with a known child; what a child's weighted score is multiplied by to be its
-- contribution (null where the node is not computed, its children are not simply added, or normalisation did more than
-- multiply)
create or replace view child_share as
select
    child_sum.unit_key,
    child_sum.node_key,
    child_sum.children_present,
    result.score,
    case
        when result.origin <> 'computed' then null
        else share_of_score(node, scaling.factor, child_sum.weight_present)
    end as share
from child_sum
inner join node on child_sum.node_key = node.node_key
inner join node_scaling as scaling
    on child_sum.population_key = scaling.population_key and child_sum.node_key = scaling.node_key
left join node_result as result on child_sum.unit_key = result.unit_key and child_sum.node_key = result.node_key;

-- check contribution_sum: a computed score that the contributions of its children do not add up to (block by block of
-- units)
insert into finding
select
    'contribution_sum' as "check",
    unit.label || ' / ' || node.node_code as subject,
    cast(weighted.total * parent.share as varchar) as observed,
    cast(parent.score as varchar) as expected
from (
    select
        result.unit_key,
        child.parent_key,
        sum(result.score * child.weight_units) as total
    from node_result as result
    inner join node as child on result.node_key = child.node_key
    where result.unit_key between $first_unit and $last_unit and child.parent_key is not null
    group by result.unit_key, child.parent_key
) as weighted
inner join child_share as parent on weighted.unit_key = parent.unit_key and weighted.parent_key = parent.node_key
inner join node on parent.node_key = node.node_key
inner join unit on parent.unit_key = unit.unit_key
where
    parent.unit_key between $first_unit and $last_unit
    and abs(weighted.total * parent.share - parent.score) > 1e-9 * greatest(1, abs(parent.score))
