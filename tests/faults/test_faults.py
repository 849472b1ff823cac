"""Every fault in its short form; `make faults` runs the long one."""

from collections.abc import Callable

import msgspec
import pytest

from tests.faults.conftest import FIGURES
from tests.faults.figures import SHORT
from tests.faults.rows import ROWS, Row
from tests.harness.postgres import Cluster


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.__name__)
def test_nothing_is_lost_or_counted_twice(
    row: Row, cluster: Cluster, record_property: Callable[[str, object], None]
) -> None:
    figures = row(cluster, SHORT, "")
    record_property(FIGURES, msgspec.json.encode(figures).decode())
    assert not figures.complaints
