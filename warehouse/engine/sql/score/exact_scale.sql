-- a function: the power of two that lifts terms of at most `largest` to just below 2^61, where sums of them, rounded to
-- integers, are exact whatever the order and the number of threads
create or replace macro exact_scale(largest) as
case when largest > 0 and isfinite(largest) then pow(2, least(60 - floor(log2(largest)), 1000)) else 1 end
