-- The metrics that days add to shops whose running totals share rules and a day.
-- In arrays of shops, a row for each move of windows. Running days are in `shop_totals`.
with moves as (
    select place, rules, rules_version, totals_day, start, until, rating, sales, ever
    from unnest(
        $3::text[], $4::integer[], $5::date[], $6::date[], $7::date[],
        $8::boolean[], $9::boolean[], $10::boolean[]
    ) with ordinality as given (
        rules, rules_version, totals_day, start, until, rating, sales, ever, place
    )
)
select m.place, array_agg(d.shop_key) as shop_keys, $metric_sums_moved
from moves m
join shops s on s.tenant_id = $1 and s.shop_key <> all($2::bigint[])
    and s.rules = m.rules and s.rules_version = m.rules_version
join shop_totals t on t.shop_key = s.shop_key and t.day = m.totals_day
-- One index scan for each shop: otherwise the planner reads all of its days.
cross join lateral (
    select shop_key, $counters
    from daily_totals
    where shop_key = s.shop_key and day >= m.start and day < m.until
    offset 0
) d
group by m.place
union all
select m.place, array_agg(d.shop_key), $metric_sums_moved
from moves m
join shops s on s.tenant_id = $1 and s.shop_key <> all($2::bigint[])
    and s.rules = m.rules and s.rules_version = m.rules_version
join (select shop_key, day, $day_as_counters from shop_totals) d
    on d.shop_key = s.shop_key and d.day = m.totals_day
where m.totals_day >= m.start and m.totals_day < m.until
group by m.place
