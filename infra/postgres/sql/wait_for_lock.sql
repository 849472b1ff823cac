-- Bounds the wait for a lock, so that a migration never blocks a running service for long.
set local lock_timeout = '10s'
