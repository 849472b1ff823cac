"""What the service costs, beside what it could cost at best on the same machine."""
