-- Deletes a locked shop and its running totals; what else is stored of it is removed later.
with deleted as (
    delete from shops where shop_key = $1
    returning shop_key
),
unlocked as (
    delete from shop_totals t using deleted where t.shop_key = deleted.shop_key
)
insert into deleted_shops (shop_key, deleted_at)
select shop_key, $2::timestamptz from deleted
