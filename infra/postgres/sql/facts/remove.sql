-- Deletes some rows of a deleted shop, and returns how many were there.
with removed as (
    delete from $table
    where shop_key = $1
        and ctid = any(array(select ctid from $table where shop_key = $1 limit $2))
    returning shop_key
)
select count(*) from removed
