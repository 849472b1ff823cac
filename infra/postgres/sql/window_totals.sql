-- Sums of the windows of many shops, each with starts and an end (not included) of its own.
-- Where running totals are lost, those of their day are not among these.
select
    requested.shop_key, s.rules, s.rules_version, t.totals_key is null as is_lost,
    $window_sums
from unnest($1::bigint[], $2::bigint[], $3::date[], $4::date[], $5::date[])
    as requested (tenant_id, shop_key, rating_start, sales_start, until)
join shops s on s.tenant_id = requested.tenant_id and s.shop_key = requested.shop_key
left join (select tenant_id as totals_tenant_id, shop_key as totals_key from tenant_shop_totals) t
    on t.totals_tenant_id = requested.tenant_id and t.totals_key = requested.shop_key
left join tenant_daily_totals d
    on d.tenant_id = requested.tenant_id and d.shop_key = requested.shop_key
    and d.day < requested.until
group by requested.shop_key, s.rules, s.rules_version, t.totals_key
