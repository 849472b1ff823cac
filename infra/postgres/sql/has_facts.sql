-- Whether a shop has any facts.
select $any_fact_exists
