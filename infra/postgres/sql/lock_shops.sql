-- Puts the writers of a shop in a row, sorted so that two batches cannot block each other.
select t.shop_key
from unnest(string_to_array($1, ' ')::bigint[], string_to_array($2, ' ')) as named (tenant_id, shop_id)
join shops s using (tenant_id, shop_id)
join shop_totals t on t.shop_key = s.shop_key
order by t.shop_key
for update of t
