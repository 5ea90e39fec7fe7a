-- grain: unit with a report; which leaves were reported, as zero, with evidence, and filled in: a bit per node
create or replace table report as
select
    unit_key,
    count(*) filter (where status <> 'imputed') as reports,
    bitstring_agg(node_key, 1, $node_count) filter (where status <> 'imputed') as reported_nodes,
    bitstring_agg(node_key, 1, $node_count) filter (where status = 'reported_zero') as zero_nodes,
    bitstring_agg(node_key, 1, $node_count) filter (where status <> 'imputed' and is_evidenced) as evidenced_nodes,
    bitstring_agg(node_key, 1, $node_count) filter (where status = 'imputed') as imputed_nodes
from reported
where node_key between 1 and $node_count
group by unit_key
