"""One server for all rows, and the closing table of those that ran."""

from collections.abc import Iterator

import pytest

from tests.faults.cluster import Cluster
from tests.faults.cluster import cluster as cluster_of_rows
from tests.faults.figures import SHORT, Figures, closing_table

_RAN = pytest.StashKey[list[Figures]]()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A server that rows may do harm to."""
    with cluster_of_rows() as found:
        yield found


@pytest.fixture(scope="session")
def ran(pytestconfig: pytest.Config) -> list[Figures]:
    """Rows that have run, to be printed at the end."""
    return pytestconfig.stash.setdefault(_RAN, [])


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the closing table."""
    rows = config.stash.get(_RAN, [])
    if rows:
        terminalreporter.section("faults, in their short form")
        terminalreporter.write_line(closing_table(rows, SHORT.seed))
