-- A deleted shop of which something may be stored, and that no other session is removing.
select shop_key
from deleted_shops
order by shop_key
limit 1
for update skip locked
