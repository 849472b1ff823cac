-- Deletes those of the given days on which a listing has sold nothing after all.
delete from listing_days d
using unnest($1::bigint[], $2::text[], $3::date[]) as moved (shop_key, listing_id, day)
where d.shop_key = moved.shop_key and d.listing_id = moved.listing_id and d.day = moved.day
    and d.units = 0
