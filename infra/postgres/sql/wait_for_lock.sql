-- Bounds the wait for a lock, so that a step never holds up the service behind it for long.
set local lock_timeout = '10s'
