-- Sums of the windows of many shops, each with starts and an end (not included) of its own.
select requested.shop_key, s.rules, s.rules_version, $window_sums
from unnest($1::bigint[], $2::bigint[], $3::date[], $4::date[], $5::date[])
    as requested (tenant_id, shop_key, rating_start, sales_start, until)
join shops s on s.tenant_id = requested.tenant_id and s.shop_key = requested.shop_key
left join tenant_daily_totals d
    on d.tenant_id = requested.tenant_id and d.shop_key = requested.shop_key
    and d.day < requested.until
group by requested.shop_key, s.rules, s.rules_version
