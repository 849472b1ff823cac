"""Every fault in its short form; `make faults` runs the long one."""

import pytest

from tests.faults.cluster import Cluster
from tests.faults.figures import SHORT, Figures
from tests.faults.rows import ROWS, Row


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.__name__)
def test_nothing_is_lost_or_counted_twice(row: Row, cluster: Cluster, ran: list[Figures]) -> None:
    figures = row(cluster, SHORT, "")
    ran.append(figures)
    assert not figures.complaints
