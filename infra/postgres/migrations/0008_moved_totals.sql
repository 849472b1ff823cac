-- Totals on their way into a table: of one day of a shop, or its running ones.

create type moved_totals as (
    shop_key bigint,
    day date,
    description_1 bigint,
    description_2 bigint,
    description_3 bigint,
    description_4 bigint,
    description_5 bigint,
    service_1 bigint,
    service_2 bigint,
    service_3 bigint,
    service_4 bigint,
    service_5 bigint,
    logistics_1 bigint,
    logistics_2 bigint,
    logistics_3 bigint,
    logistics_4 bigint,
    logistics_5 bigint,
    late bigint,
    capped bigint,
    removed bigint,
    paid bigint,
    refunded bigint,
    on_sale bigint,
    sold bigint
);
