"""The key of the plain service, apart so that clients need not load the service."""

KEY = "plain-key"
