-- The version of its rules that a locked shop follows from now on.
update shops set rules_version = $3 where tenant_id = $1 and shop_id = $2
