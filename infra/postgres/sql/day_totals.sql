-- Day totals of one shop, and the rules they follow: at least one row, if without a day.
select
    s.rules, s.rules_version, d.day,
    d.description_1, d.description_2, d.description_3, d.description_4, d.description_5,
    d.service_1, d.service_2, d.service_3, d.service_4, d.service_5, d.logistics_1,
    d.logistics_2, d.logistics_3, d.logistics_4, d.logistics_5, d.late, d.capped, d.removed,
    d.paid, d.refunded, d.on_sale, d.sold
from shops s
left join tenant_shop_days d
    on d.tenant_id = s.tenant_id and d.shop_key = s.shop_key and d.day >= $3 and d.day < $4
where s.tenant_id = $1 and s.shop_key = $2
