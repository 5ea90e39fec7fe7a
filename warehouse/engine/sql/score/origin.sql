-- a type: how a score, or the rank or category that was published in its place, came about; narrow, as every score has one
create type origin as enum('computed', 'entered', 'rolled_up', 'entered_rank', 'entered_category')
