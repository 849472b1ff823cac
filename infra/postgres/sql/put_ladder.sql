-- Inserts or replaces a ladder; returns whether it is new, or no row where it is unchanged.
insert into ladders as l (tenant_id, marketplace, category, currency, amounts)
values ($1, $2, $3, $4, $5)
on conflict (tenant_id, marketplace, category)
do update set currency = excluded.currency, amounts = excluded.amounts
where (l.currency, l.amounts) is distinct from (excluded.currency, excluded.amounts)
returning xmax = 0
