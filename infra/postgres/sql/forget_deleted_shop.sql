-- Forgets a deleted shop of which nothing is stored.
delete from deleted_shops where shop_key = $1
