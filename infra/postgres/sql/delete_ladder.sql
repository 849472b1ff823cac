-- Deletes a ladder; returns a row if there was one.
delete from ladders
where tenant_id = $1 and marketplace = $2 and category = $3
returning true
