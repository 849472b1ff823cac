-- The shops of a tenant in which a buyer has facts.
select s.shop_id
from shops s
where s.tenant_id = $1 and ($buyer_has_facts)
