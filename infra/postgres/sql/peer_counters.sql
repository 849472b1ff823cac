-- Sums of counters that are rows, each from its first day on, of the shops under some rules.
select w.place, c.shop_key, sum(c.n) as n
from unnest($3::text[], $4::integer[], $5::text[], $6::date[])
    with ordinality as w (rules, rules_version, counter, start, place)
join shops s on s.tenant_id = $1 and s.rules = w.rules and s.rules_version = w.rules_version
join counter_days c
    on c.shop_key = s.shop_key and c.counter = w.counter and c.day >= w.start and c.day < $2
group by w.place, c.shop_key
