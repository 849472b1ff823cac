-- Time zones in use.
select distinct time_zone from shops
