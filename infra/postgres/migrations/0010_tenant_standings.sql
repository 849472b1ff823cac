-- Running totals with what their day adds to them, beside what is defined of the shop, which is met
-- once. `tenant_shop_totals` stays for the release before.

create view tenant_standings as
select
    s.tenant_id, t.shop_key, s.marketplace, s.category, s.currency, s.revision, t.day,
    t.description_1 + coalesce(d.description_1, 0) as description_1,
    t.description_2 + coalesce(d.description_2, 0) as description_2,
    t.description_3 + coalesce(d.description_3, 0) as description_3,
    t.description_4 + coalesce(d.description_4, 0) as description_4,
    t.description_5 + coalesce(d.description_5, 0) as description_5,
    t.service_1 + coalesce(d.service_1, 0) as service_1,
    t.service_2 + coalesce(d.service_2, 0) as service_2,
    t.service_3 + coalesce(d.service_3, 0) as service_3,
    t.service_4 + coalesce(d.service_4, 0) as service_4,
    t.service_5 + coalesce(d.service_5, 0) as service_5,
    t.logistics_1 + coalesce(d.logistics_1, 0) as logistics_1,
    t.logistics_2 + coalesce(d.logistics_2, 0) as logistics_2,
    t.logistics_3 + coalesce(d.logistics_3, 0) as logistics_3,
    t.logistics_4 + coalesce(d.logistics_4, 0) as logistics_4,
    t.logistics_5 + coalesce(d.logistics_5, 0) as logistics_5,
    t.late + coalesce(d.late, 0) as late,
    t.capped + coalesce(d.capped, 0) as capped,
    t.removed + coalesce(d.removed, 0) as removed,
    t.paid + coalesce(d.paid, 0) as paid,
    t.refunded + coalesce(d.refunded, 0) as refunded,
    t.on_sale + coalesce(d.on_sale, 0) as on_sale,
    t.sold + coalesce(d.sold, 0) as sold
from shops s
join shop_totals t on t.shop_key = s.shop_key
left join shop_days d on d.shop_key = t.shop_key and d.day = t.day;
