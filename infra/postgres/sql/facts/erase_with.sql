-- Empties texts of one kind in locked shops where facts of another kind name the buyer.
-- Returns how many of these facts had any.
with changed as (
    update $table f set $emptied
    from $table before
    join $owner o using (shop_key, $key)
    where o.shop_key = any($1::bigint[]) and o.buyer_id = $2 and $matching
    returning num_nonnulls($texts) > 0 as had_any
)
select count(*) filter (where had_any) from changed
