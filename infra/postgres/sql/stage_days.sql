-- A private table through which a transaction adds to day totals.
create temp table if not exists staged_days (like shop_days) on commit delete rows
