"""Tests with programs of the system beside Python: `make test-system` installs them."""
