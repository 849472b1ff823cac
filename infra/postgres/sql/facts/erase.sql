-- Replaces the buyer of facts of one kind in locked shops, and empties their texts.
-- Returns how many of these facts are not retracted.
with changed as (
    update $table set $emptied, buyer_id = $3
    where shop_key = any($1::bigint[]) and buyer_id = $2
    returning day
)
select count(day) from changed
