-- Locks those of these shops that no other writer holds; one that is held has no key.
select named.tenant_id, named.shop_id, free.shop_key
from unnest(string_to_array($1, ' ')::bigint[], string_to_array($2, ' ')) as named (tenant_id, shop_id)
join shops s using (tenant_id, shop_id)
left join lateral (
    select shop_key
    from shop_totals
    where shop_key = s.shop_key
    for update skip locked
) free on true
