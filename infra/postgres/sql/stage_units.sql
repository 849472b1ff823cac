-- A private table through which a transaction adds to units sold.
create temp table if not exists staged_units (like listing_days) on commit delete rows
