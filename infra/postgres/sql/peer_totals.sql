-- Every shop of a tenant in the windows of its own rules that end on a day: ratings, stars, sales.
-- They come in columns, one row for the shops that share all but themselves.
-- Running totals that stand for a day nearby are moved by the days between the ends of both
-- windows and between their starts. Without them the windows are whole: those that end where
-- they start are moved by their starts alone. What the day of running totals adds is in no other row.
-- Rules always exist. They are joined as if they might not, or the planner expects few shops.
select
    s.marketplace, s.category, s.currency, s.rules, s.rules_version,
    array_agg(s.shop_key) as shop_keys,
    array_agg(
        coalesce(t.description_1 + t.description_2 + t.description_3 + t.description_4 + t.description_5, 0)
        + case when span.rates then t.day_description_1 + t.day_description_2 + t.day_description_3 + t.day_description_4 + t.day_description_5 else 0 end
        + span.sign * moved.description_count
    ) as description_counts,
    array_agg(
        coalesce(t.description_1 + 2 * t.description_2 + 3 * t.description_3 + 4 * t.description_4 + 5 * t.description_5, 0)
        + case when span.rates then t.day_description_1 + 2 * t.day_description_2 + 3 * t.day_description_3 + 4 * t.day_description_4 + 5 * t.day_description_5 else 0 end
        + span.sign * moved.description_stars
    ) as description_stars,
    array_agg(
        coalesce(t.service_1 + t.service_2 + t.service_3 + t.service_4 + t.service_5, 0)
        + case when span.rates then t.day_service_1 + t.day_service_2 + t.day_service_3 + t.day_service_4 + t.day_service_5 else 0 end
        + span.sign * moved.service_count
    ) as service_counts,
    array_agg(
        coalesce(t.service_1 + 2 * t.service_2 + 3 * t.service_3 + 4 * t.service_4 + 5 * t.service_5, 0)
        + case when span.rates then t.day_service_1 + 2 * t.day_service_2 + 3 * t.day_service_3 + 4 * t.day_service_4 + 5 * t.day_service_5 else 0 end
        + span.sign * moved.service_stars
    ) as service_stars,
    array_agg(
        coalesce(t.logistics_1 + t.logistics_2 + t.logistics_3 + t.logistics_4 + t.logistics_5, 0)
        + case when span.rates then t.day_logistics_1 + t.day_logistics_2 + t.day_logistics_3 + t.day_logistics_4 + t.day_logistics_5 else 0 end
        + span.sign * moved.logistics_count
    ) as logistics_counts,
    array_agg(
        coalesce(t.logistics_1 + 2 * t.logistics_2 + 3 * t.logistics_3 + 4 * t.logistics_4 + 5 * t.logistics_5, 0)
        + case when span.rates then t.day_logistics_1 + 2 * t.day_logistics_2 + 3 * t.day_logistics_3 + 4 * t.day_logistics_4 + 5 * t.day_logistics_5 else 0 end
        + span.sign * moved.logistics_stars
    ) as logistics_stars,
    array_agg(
        coalesce(t.paid, 0)
        + case when span.sells then t.day_paid else 0 end
        + span.sign * moved.paid
    ) as paid,
    array_agg(
        coalesce(t.refunded, 0)
        + case when span.sells then t.day_refunded else 0 end
        + span.sign * moved.refunded
    ) as refunded
from shops s
left join (
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
left join shop_totals t
    on t.shop_key = s.shop_key and t.day >= $2::date - 14 and t.day <= $2::date + 14
cross join lateral (
    select
        t.day <= $2::date and t.day > $2::date - r.rating_days as rates,
        t.day <= $2::date and t.day > $2::date - r.sales_days as sells,
        case when t.day <= $2::date then 1 else -1 end as sign,
        case when t.day <= $2::date then t.day else coalesce(t.day - 1, $2::date) end as "end",
        coalesce(t.day - r.rating_days, $2::date) as before_ratings,
        coalesce(t.day - r.sales_days, $2::date) as before_sales
) span
cross join lateral (
    select
        coalesce(sum(description_count), 0)::bigint as description_count,
        coalesce(sum(description_stars), 0)::bigint as description_stars,
        coalesce(sum(service_count), 0)::bigint as service_count,
        coalesce(sum(service_stars), 0)::bigint as service_stars,
        coalesce(sum(logistics_count), 0)::bigint as logistics_count,
        coalesce(sum(logistics_stars), 0)::bigint as logistics_stars,
        coalesce(sum(paid), 0)::bigint as paid,
        coalesce(sum(refunded), 0)::bigint as refunded
    from (
        select
            d.description_1 + d.description_2 + d.description_3 + d.description_4 + d.description_5 as description_count,
            d.description_1 + 2 * d.description_2 + 3 * d.description_3 + 4 * d.description_4 + 5 * d.description_5 as description_stars,
            d.service_1 + d.service_2 + d.service_3 + d.service_4 + d.service_5 as service_count,
            d.service_1 + 2 * d.service_2 + 3 * d.service_3 + 4 * d.service_4 + 5 * d.service_5 as service_stars,
            d.logistics_1 + d.logistics_2 + d.logistics_3 + d.logistics_4 + d.logistics_5 as logistics_count,
            d.logistics_1 + 2 * d.logistics_2 + 3 * d.logistics_3 + 4 * d.logistics_4 + 5 * d.logistics_5 as logistics_stars,
            d.paid,
            d.refunded
        from other_days d
        where span."end" <> $2::date and d.shop_key = s.shop_key
            and d.day > least(span."end", $2::date) and d.day <= greatest(span."end", $2::date)
        union all
        select
            -(d.description_1 + d.description_2 + d.description_3 + d.description_4 + d.description_5),
            -(d.description_1 + 2 * d.description_2 + 3 * d.description_3 + 4 * d.description_4 + 5 * d.description_5),
            -(d.service_1 + d.service_2 + d.service_3 + d.service_4 + d.service_5),
            -(d.service_1 + 2 * d.service_2 + 3 * d.service_3 + 4 * d.service_4 + 5 * d.service_5),
            -(d.logistics_1 + d.logistics_2 + d.logistics_3 + d.logistics_4 + d.logistics_5),
            -(d.logistics_1 + 2 * d.logistics_2 + 3 * d.logistics_3 + 4 * d.logistics_4 + 5 * d.logistics_5),
            0::bigint,
            0::bigint
        from other_days d
        where span.before_ratings <> $2::date - r.rating_days and d.shop_key = s.shop_key
            and d.day > least(span.before_ratings, $2::date - r.rating_days)
            and d.day <= greatest(span.before_ratings, $2::date - r.rating_days)
        union all
        select 0, 0, 0, 0, 0, 0, -d.paid, -d.refunded
        from other_days d
        where span.before_sales <> $2::date - r.sales_days and d.shop_key = s.shop_key
            and d.day > least(span.before_sales, $2::date - r.sales_days)
            and d.day <= greatest(span.before_sales, $2::date - r.sales_days)
        union all
        select
            -case when f.day > $2::date - r.rating_days then f.day_description_1 + f.day_description_2 + f.day_description_3 + f.day_description_4 + f.day_description_5 else 0 end,
            -case when f.day > $2::date - r.rating_days then f.day_description_1 + 2 * f.day_description_2 + 3 * f.day_description_3 + 4 * f.day_description_4 + 5 * f.day_description_5 else 0 end,
            -case when f.day > $2::date - r.rating_days then f.day_service_1 + f.day_service_2 + f.day_service_3 + f.day_service_4 + f.day_service_5 else 0 end,
            -case when f.day > $2::date - r.rating_days then f.day_service_1 + 2 * f.day_service_2 + 3 * f.day_service_3 + 4 * f.day_service_4 + 5 * f.day_service_5 else 0 end,
            -case when f.day > $2::date - r.rating_days then f.day_logistics_1 + f.day_logistics_2 + f.day_logistics_3 + f.day_logistics_4 + f.day_logistics_5 else 0 end,
            -case when f.day > $2::date - r.rating_days then f.day_logistics_1 + 2 * f.day_logistics_2 + 3 * f.day_logistics_3 + 4 * f.day_logistics_4 + 5 * f.day_logistics_5 else 0 end,
            -case when f.day > $2::date - r.sales_days then f.day_paid else 0 end,
            -case when f.day > $2::date - r.sales_days then f.day_refunded else 0 end
        from shop_totals f
        where t.day is null and f.shop_key = s.shop_key and f.day <= $2::date
    ) days
) moved
where s.tenant_id = $1
group by s.marketplace, s.category, s.currency, s.rules, s.rules_version
