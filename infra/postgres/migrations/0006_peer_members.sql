-- Shops of a snapshot stand many in a row, in columns: up to 32 of one marketplace, category and
-- currency, by rising key. A shop's percentile is told by how many peers are below it; the sales of
-- a group are those of its members.

create table peer_members (
    tenant_id bigint not null,
    as_of date not null,
    marketplace text collate "C" not null,
    category text collate "C" not null,
    currency text collate "C" not null,
    last_shop_key bigint not null,
    shop_keys bigint[] not null,
    sales bigint[] not null,
    description integer[] not null,
    service integer[] not null,
    logistics integer[] not null,
    constraint peer_members_pkey primary key (
        tenant_id, as_of, marketplace, category, currency, last_shop_key
    )
);

insert into peer_members (
    tenant_id, as_of, marketplace, category, currency, last_shop_key,
    shop_keys, sales, description, service, logistics
)
select
    tenant_id, as_of, marketplace, category, currency, max(shop_key),
    array_agg(shop_key order by shop_key), array_agg(sales order by shop_key),
    array_agg(description order by shop_key), array_agg(service order by shop_key),
    array_agg(logistics order by shop_key)
from (
    select
        tenant_id, as_of, marketplace, category, currency, shop_key, sales,
        (
            row_number() over (
                partition by tenant_id, as_of, marketplace, category, currency order by shop_key
            ) - 1
        ) / 32 as block,
        case when description is not null then rank() over (
            partition by tenant_id, as_of, marketplace, category order by description
        ) - 1 end::integer as description,
        case when service is not null then rank() over (
            partition by tenant_id, as_of, marketplace, category order by service
        ) - 1 end::integer as service,
        case when logistics is not null then rank() over (
            partition by tenant_id, as_of, marketplace, category order by logistics
        ) - 1 end::integer as logistics
    from peer_shops
) placed
group by tenant_id, as_of, marketplace, category, currency, block;

drop table peer_shops, peer_sales;
