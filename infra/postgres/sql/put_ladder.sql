-- Keeps a ladder; tells whether it is new.
insert into ladders (tenant_id, marketplace, category, currency, amounts)
values ($1, $2, $3, $4, $5)
on conflict (tenant_id, marketplace, category)
do update set currency = excluded.currency, amounts = excluded.amounts
returning xmax = 0
