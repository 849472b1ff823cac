-- Sums of counters that are no column over a window (its end not included) for each shop.
-- Rules come along: at least one row a shop, if without a counter.
select asked.shop_key, s.rules, s.rules_version, d.counter, sum(d.n) as n
from unnest($1::bigint[], $2::bigint[], $3::date[], $4::date[])
    as asked (tenant_id, shop_key, start, until)
join shops s on s.tenant_id = asked.tenant_id and s.shop_key = asked.shop_key
left join tenant_counter_days d
    on d.tenant_id = asked.tenant_id and d.shop_key = asked.shop_key
    and d.day >= asked.start and d.day < asked.until
group by asked.shop_key, s.rules, s.rules_version, d.counter
