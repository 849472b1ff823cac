"""What some tests need and not every machine has: left out there, and nowhere else (`.ci/run`).

The tests pass for an ordinary user and in a clone by itself; as root, beside the data, all of them
run.
"""

import os
from pathlib import Path

import pytest

OLIST = Path(__file__).resolve().parents[2] / "shared" / "data" / "olist"
"""20,522 events of real shops, with figures that another program worked out; no part of this."""

REPORTS = OLIST.parents[1] / "data" / "reports" / "cases.json"
"""Twenty public reports of connecting a shop, as requests and the right answer to each."""

with_olist = pytest.mark.skipif(not OLIST.exists(), reason="no data set beside the repository")
with_reports = pytest.mark.skipif(not REPORTS.exists(), reason="no reports beside the repository")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def _may_mount() -> bool:
    """Return whether this process may mount: root in a container may not."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return False
    _, _, rights = status.partition("\nCapEff:\t")
    return bool(int(rights.partition("\n")[0] or "0", 16) >> 21 & 1)


with_mount = pytest.mark.skipif(
    not _may_mount(), reason="only root with the right to mount can make a small disk"
)
