-- a type: the categories that cut-offs of the edition name, and those that were published; narrow, because every score
-- has one
create type category as enum (  -- noqa: CV07
    select category from cut_off_span
    union
    select category from stated
    where category is not null
    union
    select ''
)
