"""One server for all rows, and the closing table of those that ran."""

from collections.abc import Iterator

import msgspec
import pytest

from tests.faults.figures import SHORT, Figures, closing_table
from tests.harness.postgres import Cluster, start_cluster

FIGURES = "figures of a row"
"""The property of a report that carries them, from whatever process the row ran in."""


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Run a Postgres server that rows may do harm to."""
    with start_cluster() as server:
        yield server


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the closing table."""
    rows = [
        msgspec.json.decode(value, type=Figures)
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        for name, value in getattr(report, "user_properties", [])
        if name == FIGURES and report.when == "call"
    ]
    if rows:
        terminalreporter.section("faults, in their short form")
        terminalreporter.write_line(closing_table(rows, SHORT.seed))
