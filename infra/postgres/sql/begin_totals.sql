-- Running totals for those of these shops that have lost theirs: nothing, on a day before all facts.
insert into shop_totals (shop_key, day, revision)
select s.shop_key, date '1999-12-31', s.revision
from unnest(string_to_array($1, ' ')::bigint[], string_to_array($2, ' ')) as named (tenant_id, shop_id)
join shops s using (tenant_id, shop_id)
order by s.shop_key
on conflict (shop_key) do nothing
