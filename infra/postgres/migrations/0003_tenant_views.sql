-- The second lock between tenants: whoever reads a shop's facts or totals for an answer names
-- tenant and shop to a view that knows which belong together, and the service works as a role
-- that owns nothing.

create view tenant_ratings as
select
    s.tenant_id, f.shop_key,
    f.review_id, f.buyer_id, f.month, f.time, f.completed_at, f.day, f.description,
    f.service, f.logistics, f.order_id, f.listing_id, f.comment, f.state
from shops s
join ratings f on f.shop_key = s.shop_key;

create view tenant_moderations as
select
    s.tenant_id, f.shop_key,
    f.review_id, f.time, f.removes, f.reason, f.note
from shops s
join moderations f on f.shop_key = s.shop_key;

create view tenant_listing_events as
select
    s.tenant_id, f.shop_key,
    f.listing_id, f.time, f.kind, f.day, f.title
from shops s
join listing_events f on f.shop_key = s.shop_key;

create view tenant_stock_counts as
select
    s.tenant_id, f.shop_key,
    f.listing_id, f.time, f.day, f.on_hand
from shops s
join stock_counts f on f.shop_key = s.shop_key;

create view tenant_shop_days as
select
    s.tenant_id, f.shop_key,
    f.day, f.description_1, f.description_2, f.description_3, f.description_4,
    f.description_5, f.service_1, f.service_2, f.service_3, f.service_4, f.service_5,
    f.logistics_1, f.logistics_2, f.logistics_3, f.logistics_4, f.logistics_5, f.late,
    f.capped, f.removed, f.paid, f.refunded, f.on_sale, f.sold
from shops s
join shop_days f on f.shop_key = s.shop_key;

create view tenant_shop_totals as
select
    s.tenant_id, f.shop_key,
    f.day, f.description_1, f.description_2, f.description_3, f.description_4,
    f.description_5, f.service_1, f.service_2, f.service_3, f.service_4, f.service_5,
    f.logistics_1, f.logistics_2, f.logistics_3, f.logistics_4, f.logistics_5, f.late,
    f.capped, f.removed, f.paid, f.refunded, f.on_sale, f.sold
from shops s
join shop_totals f on f.shop_key = s.shop_key;

create view tenant_listing_days as
select
    s.tenant_id, f.shop_key,
    f.listing_id, f.day, f.units
from shops s
join listing_days f on f.shop_key = s.shop_key;

do $$ begin create role shopdsr_service; exception when duplicate_object or unique_violation then null; end $$;

grant shopdsr_service to current_user;

grant select, insert, update, delete on all tables in schema public to shopdsr_service;

alter default privileges in schema public
    grant select, insert, update, delete on tables to shopdsr_service;
