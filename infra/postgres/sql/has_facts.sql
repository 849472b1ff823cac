-- Whether anything has been reported of a shop.
select
    exists (select from ratings where shop_key = $1)
    or exists (select from moderations where shop_key = $1)
    or exists (select from orders where shop_key = $1)
    or exists (select from refunds where shop_key = $1)
    or exists (select from listing_events where shop_key = $1)
    or exists (select from stock_counts where shop_key = $1)
