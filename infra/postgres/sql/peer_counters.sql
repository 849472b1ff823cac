-- Sums of counters that are rows, each from its first day on, of the shops under some rules.
select w.place, c.shop_key, sum(c.n) as n
from unnest($4::text[], $5::integer[], $6::text[], $7::date[])
    with ordinality as w (rules, rules_version, counter, start, place)
join shops s on s.tenant_id = $1 and s.shop_key <> all($2::bigint[])
    and s.rules = w.rules and s.rules_version = w.rules_version
join counter_days c
    on c.shop_key = s.shop_key and c.counter = w.counter and c.day >= w.start and c.day < $3
group by w.place, c.shop_key
