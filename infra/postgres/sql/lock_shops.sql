-- Puts the writers of a shop in a row, sorted so that two batches cannot block each other.
insert into shop_totals as t (shop_key, day, revision)
select s.shop_key, $3::date, 1
from unnest($1::bigint[], $2::text[]) as named (tenant_id, shop_id)
join shops s using (tenant_id, shop_id)
order by s.shop_key
on conflict (shop_key) do update set revision = t.revision + 1
returning shop_key
