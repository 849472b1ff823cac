-- A private table through which a transaction moves totals: of days, or running ones.
create temp table if not exists staged (
    running boolean not null,
    like shop_totals including defaults
) on commit delete rows
