-- One setting of the server as it holds for this session.
select current_setting($1)
