-- fails: categories of a level, approach and node that overlap, so that a score could have more than one
insert into finding
select
    'duplicate_category' as "check",
    population.region_level || ' / ' || population.approach || ' / ' || node.node_code as subject,
    one.category || ', ' || other.category as observed,
    cast(null as varchar) as expected
from category_bound as one
inner join category_bound as other
    on
        one.population_key = other.population_key
        and one.node_key = other.node_key
        and one.category < other.category
        and one.first_score <= other.last_score
        and one.last_score >= other.first_score
inner join population on one.population_key = population.population_key
inner join node on one.node_key = node.node_key
where one.first_score <= one.last_score and other.first_score <= other.last_score
