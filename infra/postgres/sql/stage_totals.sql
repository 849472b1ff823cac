-- A private table through which a transaction adds to running totals.
create temp table if not exists staged_totals (like shop_totals including defaults) on commit delete rows
