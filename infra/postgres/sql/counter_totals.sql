-- Sums of the counters that are rows over a window of each shop, with the shop's rules.
-- The end of a window is not included. A shop has at least one row, whose counter may be null.
select requested.shop_key, s.rules, s.rules_version, d.counter, sum(d.n) as n
from unnest($1::bigint[], $2::bigint[], $3::date[], $4::date[])
    as requested (tenant_id, shop_key, start, until)
join shops s on s.tenant_id = requested.tenant_id and s.shop_key = requested.shop_key
left join tenant_counter_days d
    on d.tenant_id = requested.tenant_id and d.shop_key = requested.shop_key
    and d.day >= requested.start and d.day < requested.until
group by requested.shop_key, s.rules, s.rules_version, d.counter
