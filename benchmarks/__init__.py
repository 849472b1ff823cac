"""What the service costs, always beside what it could cost at best: see README.md."""
