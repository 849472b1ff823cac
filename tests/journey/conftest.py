"""One service for the journeys that share it, each under a tenant of its own."""

from collections.abc import Iterator

import pytest

from tests.harness.postgres import new_database
from tests.harness.server import Server, serve


@pytest.fixture(scope="session")
def service(postgres_url: str) -> Iterator[Server]:
    """Run a server on a new database of the tests' Postgres."""
    with new_database(postgres_url) as url, serve(url) as server:
        yield server
        assert server.stop() in {0, 143}, server.output
