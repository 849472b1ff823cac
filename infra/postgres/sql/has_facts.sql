-- Whether anything has been reported of a shop.
select $any_fact_exists
