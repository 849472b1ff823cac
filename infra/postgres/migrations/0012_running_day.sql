-- What the day of the running totals adds stands beside them: a score meets one row of a shop, and
-- what happens on that day moves this row alone. Days before and after it keep rows of their own.
-- Workers of the layout before go on reading, and are refused when they record: they know the table
-- of days by its old name.

lock table shop_totals, shop_days in access exclusive mode;

alter table shop_days rename to other_days;

alter table other_days rename constraint shop_days_pkey to other_days_pkey;

alter table shop_totals
    add column day_description_1 integer not null default 0,
    add column day_description_2 integer not null default 0,
    add column day_description_3 integer not null default 0,
    add column day_description_4 integer not null default 0,
    add column day_description_5 integer not null default 0,
    add column day_service_1 integer not null default 0,
    add column day_service_2 integer not null default 0,
    add column day_service_3 integer not null default 0,
    add column day_service_4 integer not null default 0,
    add column day_service_5 integer not null default 0,
    add column day_logistics_1 integer not null default 0,
    add column day_logistics_2 integer not null default 0,
    add column day_logistics_3 integer not null default 0,
    add column day_logistics_4 integer not null default 0,
    add column day_logistics_5 integer not null default 0,
    add column day_late integer not null default 0,
    add column day_capped integer not null default 0,
    add column day_removed integer not null default 0,
    add column day_paid bigint not null default 0,
    add column day_refunded bigint not null default 0,
    add column day_on_sale integer not null default 0,
    add column day_sold integer not null default 0;

update shop_totals t set
    day_description_1 = d.description_1,
    day_description_2 = d.description_2,
    day_description_3 = d.description_3,
    day_description_4 = d.description_4,
    day_description_5 = d.description_5,
    day_service_1 = d.service_1,
    day_service_2 = d.service_2,
    day_service_3 = d.service_3,
    day_service_4 = d.service_4,
    day_service_5 = d.service_5,
    day_logistics_1 = d.logistics_1,
    day_logistics_2 = d.logistics_2,
    day_logistics_3 = d.logistics_3,
    day_logistics_4 = d.logistics_4,
    day_logistics_5 = d.logistics_5,
    day_late = d.late,
    day_capped = d.capped,
    day_removed = d.removed,
    day_paid = d.paid,
    day_refunded = d.refunded,
    day_on_sale = d.on_sale,
    day_sold = d.sold
from other_days d
where d.shop_key = t.shop_key and d.day = t.day;

delete from other_days d
using shop_totals t
where d.shop_key = t.shop_key and d.day = t.day;

create or replace view tenant_shop_days as
select
    s.tenant_id, f.shop_key,
    f.day, f.description_1, f.description_2, f.description_3, f.description_4, f.description_5,
    f.service_1, f.service_2, f.service_3, f.service_4, f.service_5, f.logistics_1, f.logistics_2,
    f.logistics_3, f.logistics_4, f.logistics_5, f.late, f.capped, f.removed, f.paid, f.refunded,
    f.on_sale, f.sold
from shops s
join (
    select
        shop_key, day,
        description_1, description_2, description_3, description_4, description_5, service_1,
        service_2, service_3, service_4, service_5, logistics_1, logistics_2, logistics_3,
        logistics_4, logistics_5, late, capped, removed, paid, refunded, on_sale, sold
    from other_days
    union all
    select
        shop_key, day,
        day_description_1, day_description_2, day_description_3, day_description_4,
        day_description_5, day_service_1, day_service_2, day_service_3, day_service_4,
        day_service_5, day_logistics_1, day_logistics_2, day_logistics_3, day_logistics_4,
        day_logistics_5, day_late, day_capped, day_removed, day_paid, day_refunded, day_on_sale,
        day_sold
    from shop_totals
) f on f.shop_key = s.shop_key;

create or replace view tenant_standings as
select
    s.tenant_id, t.shop_key, s.marketplace, s.category, s.currency, s.revision, t.day,
    t.description_1 + t.day_description_1 as description_1,
    t.description_2 + t.day_description_2 as description_2,
    t.description_3 + t.day_description_3 as description_3,
    t.description_4 + t.day_description_4 as description_4,
    t.description_5 + t.day_description_5 as description_5,
    t.service_1 + t.day_service_1 as service_1,
    t.service_2 + t.day_service_2 as service_2,
    t.service_3 + t.day_service_3 as service_3,
    t.service_4 + t.day_service_4 as service_4,
    t.service_5 + t.day_service_5 as service_5,
    t.logistics_1 + t.day_logistics_1 as logistics_1,
    t.logistics_2 + t.day_logistics_2 as logistics_2,
    t.logistics_3 + t.day_logistics_3 as logistics_3,
    t.logistics_4 + t.day_logistics_4 as logistics_4,
    t.logistics_5 + t.day_logistics_5 as logistics_5,
    t.late + t.day_late as late,
    t.capped + t.day_capped as capped,
    t.removed + t.day_removed as removed,
    t.paid + t.day_paid as paid,
    t.refunded + t.day_refunded as refunded,
    t.on_sale + t.day_on_sale as on_sale,
    t.sold + t.day_sold as sold
from shops s
join shop_totals t on t.shop_key = s.shop_key;

drop view tenant_shop_totals;
