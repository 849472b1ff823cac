-- Ratings by month, then buyer: new ones are mostly of this month, so they meet in few pages of the
-- index, where by buyer they would spread over all that the shop has. Nothing is recorded while it is
-- built, about a second for each 1.5 million ratings.

create index ratings_month_buyer_idx on ratings (shop_key, month, buyer_id);
