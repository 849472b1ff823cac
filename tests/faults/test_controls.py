"""A test that cannot fail proves nothing: with a promise broken on purpose a row turns red."""

import pytest

from tests.faults.broken import CONTROLS
from tests.faults.figures import TELLING
from tests.faults.rows import TOLD_BY
from tests.harness.postgres import Cluster


def test_every_control_has_a_row_that_must_tell() -> None:
    assert TOLD_BY.keys() == CONTROLS.keys()


@pytest.mark.parametrize("control", CONTROLS)
def test_a_broken_promise_turns_its_row_red(control: str, cluster: Cluster) -> None:
    row, complaint = TOLD_BY[control]
    complaints = row(cluster, TELLING, control).complaints
    assert any(complaint in text for text in complaints)
