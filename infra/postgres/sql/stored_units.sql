-- All units sold of a shop's listings, by day.
select listing_id, day, units from listing_days where shop_key = $1
