-- a type: what became of a report
create type status as enum('reported', 'reported_zero', 'imputed', 'missing', 'not_applicable')
