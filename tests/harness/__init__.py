"""What every suite needs of the outside: server processes, Postgres, an HTTP client, sockets."""
