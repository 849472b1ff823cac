-- Ratings and sales of every shop of a tenant in the windows of its own rules that end on a day.
select
    s.shop_key, s.marketplace, s.category, s.currency, s.rules, s.rules_version,
    coalesce(sum(d.description_1) filter (where d.day > $2::date - r.rating_days), 0)::bigint as description_1,
    coalesce(sum(d.description_2) filter (where d.day > $2::date - r.rating_days), 0)::bigint as description_2,
    coalesce(sum(d.description_3) filter (where d.day > $2::date - r.rating_days), 0)::bigint as description_3,
    coalesce(sum(d.description_4) filter (where d.day > $2::date - r.rating_days), 0)::bigint as description_4,
    coalesce(sum(d.description_5) filter (where d.day > $2::date - r.rating_days), 0)::bigint as description_5,
    coalesce(sum(d.service_1) filter (where d.day > $2::date - r.rating_days), 0)::bigint as service_1,
    coalesce(sum(d.service_2) filter (where d.day > $2::date - r.rating_days), 0)::bigint as service_2,
    coalesce(sum(d.service_3) filter (where d.day > $2::date - r.rating_days), 0)::bigint as service_3,
    coalesce(sum(d.service_4) filter (where d.day > $2::date - r.rating_days), 0)::bigint as service_4,
    coalesce(sum(d.service_5) filter (where d.day > $2::date - r.rating_days), 0)::bigint as service_5,
    coalesce(sum(d.logistics_1) filter (where d.day > $2::date - r.rating_days), 0)::bigint as logistics_1,
    coalesce(sum(d.logistics_2) filter (where d.day > $2::date - r.rating_days), 0)::bigint as logistics_2,
    coalesce(sum(d.logistics_3) filter (where d.day > $2::date - r.rating_days), 0)::bigint as logistics_3,
    coalesce(sum(d.logistics_4) filter (where d.day > $2::date - r.rating_days), 0)::bigint as logistics_4,
    coalesce(sum(d.logistics_5) filter (where d.day > $2::date - r.rating_days), 0)::bigint as logistics_5,
    coalesce(sum(d.paid) filter (where d.day > $2::date - r.sales_days), 0)::bigint as paid,
    coalesce(sum(d.refunded) filter (where d.day > $2::date - r.sales_days), 0)::bigint as refunded
from shops s
join (
    select
        name, version,
        (rules ->> 'rating_window_days')::integer as rating_days,
        (rules ->> 'sales_window_days')::integer as sales_days
    from rule_versions
    where tenant_id = $1 and name <> all($3::text[])
    union all
    select name, version, rating_days, sales_days
    from unnest($3::text[], $4::integer[], $5::integer[], $6::integer[])
        as built_in (name, version, rating_days, sales_days)
) r on r.name = s.rules and r.version = s.rules_version
left join shop_days d
    on d.shop_key = s.shop_key and d.day <= $2::date
    and d.day > $2::date - greatest(r.rating_days, r.sales_days)
where s.tenant_id = $1
group by s.shop_key, s.marketplace, s.category, s.currency, s.rules, s.rules_version
