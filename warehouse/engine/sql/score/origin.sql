-- a type: how a score came about; narrow, because every score has one
create type origin as enum('computed', 'entered', 'rolled_up')
