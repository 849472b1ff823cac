"""A slow, independent reading of the service's rules, and made-up worlds to judge it by."""
