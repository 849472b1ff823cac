-- A shop's definition and its running totals carry the number of the definition's last change. Who
-- has waited for the totals' lock sees by it whether the definition read beside them is the newest.

alter table shops add column revision integer not null default 0;

alter table shop_totals add column revision integer not null default 0;
