-- The settings that do not hold in this session: each is compared with what setting it again gives.
select s.name
from unnest($1::text[], $2::text[]) as s (name, setting)
where current_setting(s.name) is distinct from set_config(s.name, s.setting, true)
