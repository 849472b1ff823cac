-- Whether anything has been reported of a shop.
select $has_facts
