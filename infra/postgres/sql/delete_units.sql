-- Deletes units sold that are about to be inserted again.
delete from listing_days d
using unnest($2::text[], $3::date[]) as wrong (listing_id, day)
where d.shop_key = $1 and d.listing_id = wrong.listing_id and d.day = wrong.day
