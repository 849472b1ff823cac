-- The index that ratings by month have replaced. In one step with it, this would wait for those who
-- record, while they wait for the other to be built.

drop index ratings_buyer_month_idx;
