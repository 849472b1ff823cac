-- Sums of the windows of many shops, each with starts and an end (not included) of its own.
select
    asked.shop_key, s.rules, s.rules_version,
    coalesce(sum(d.description_1) filter (where d.day >= asked.rating_start), 0)::bigint as description_1,
    coalesce(sum(d.description_2) filter (where d.day >= asked.rating_start), 0)::bigint as description_2,
    coalesce(sum(d.description_3) filter (where d.day >= asked.rating_start), 0)::bigint as description_3,
    coalesce(sum(d.description_4) filter (where d.day >= asked.rating_start), 0)::bigint as description_4,
    coalesce(sum(d.description_5) filter (where d.day >= asked.rating_start), 0)::bigint as description_5,
    coalesce(sum(d.service_1) filter (where d.day >= asked.rating_start), 0)::bigint as service_1,
    coalesce(sum(d.service_2) filter (where d.day >= asked.rating_start), 0)::bigint as service_2,
    coalesce(sum(d.service_3) filter (where d.day >= asked.rating_start), 0)::bigint as service_3,
    coalesce(sum(d.service_4) filter (where d.day >= asked.rating_start), 0)::bigint as service_4,
    coalesce(sum(d.service_5) filter (where d.day >= asked.rating_start), 0)::bigint as service_5,
    coalesce(sum(d.logistics_1) filter (where d.day >= asked.rating_start), 0)::bigint as logistics_1,
    coalesce(sum(d.logistics_2) filter (where d.day >= asked.rating_start), 0)::bigint as logistics_2,
    coalesce(sum(d.logistics_3) filter (where d.day >= asked.rating_start), 0)::bigint as logistics_3,
    coalesce(sum(d.logistics_4) filter (where d.day >= asked.rating_start), 0)::bigint as logistics_4,
    coalesce(sum(d.logistics_5) filter (where d.day >= asked.rating_start), 0)::bigint as logistics_5,
    coalesce(sum(d.late) filter (where d.day >= asked.rating_start), 0)::bigint as late,
    coalesce(sum(d.capped) filter (where d.day >= asked.rating_start), 0)::bigint as capped,
    coalesce(sum(d.removed) filter (where d.day >= asked.rating_start), 0)::bigint as removed,
    coalesce(sum(d.paid) filter (where d.day >= asked.sales_start), 0)::bigint as paid,
    coalesce(sum(d.refunded) filter (where d.day >= asked.sales_start), 0)::bigint as refunded,
    coalesce(sum(d.on_sale), 0)::bigint as on_sale,
    coalesce(sum(d.sold), 0)::bigint as sold
from unnest($1::bigint[], $2::bigint[], $3::date[], $4::date[], $5::date[])
    as asked (tenant_id, shop_key, rating_start, sales_start, until)
join shops s on s.tenant_id = asked.tenant_id and s.shop_key = asked.shop_key
left join tenant_shop_days d
    on d.tenant_id = asked.tenant_id and d.shop_key = asked.shop_key and d.day < asked.until
group by asked.shop_key, s.rules, s.rules_version
