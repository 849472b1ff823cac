"""The long form: `python -m tests.faults [seed]`; ends with 1 when a row is red or cannot be.

The results of a run that was not red are in `results.json` afterwards, and in the documents that
are rendered from it.
"""

import os
import platform
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime

from tests.documents import write_documents
from tests.faults.figures import LONG, TELLING, Figures, Form, closing_table
from tests.faults.results import Results, write_results
from tests.faults.rows import LONG_ROWS, TOLD_BY, Row
from tests.harness.postgres import Cluster, start_cluster


def main() -> int:
    """Run every row and every negative control; the closing table goes to stdout."""
    form = replace(LONG, seed=int(sys.argv[1])) if sys.argv[1:] else LONG
    started = time.monotonic()
    with start_cluster() as server:
        machine = _machine(server)
        done = [_row(server, form, row) for row in LONG_ROWS]
        complaints = {control: _complaint(server, form, control) for control in TOLD_BY}
    print(closing_table(done, form.seed))
    if any(row.complaints for row in done) or not all(complaints.values()):
        return 1
    results = Results(
        day=datetime.now(UTC).date().isoformat(),
        machine=machine,
        minutes=round((time.monotonic() - started) / 60, 1),
        seed=form.seed,
        rows=done,
        controls=complaints,
    )
    write_results(results)
    write_documents()
    return 0


def _row(server: Cluster, form: Form, row: Row) -> Figures:
    started = time.monotonic()
    figures = row(server, form, "")
    took = time.monotonic() - started
    print(f"{row.__name__}, {took:.0f} s", file=sys.stderr)
    print(closing_table([figures], form.seed), file=sys.stderr, flush=True)
    return figures


def _complaint(server: Cluster, form: Form, control: str) -> str:
    """Return what the row said that must tell; empty where it did not."""
    row, complaint = TOLD_BY[control]
    complaints = row(server, replace(TELLING, seed=form.seed), control).complaints
    said = next((text for text in complaints if complaint in text), "")
    print(f"{control}: {said or 'NOT SEEN'}", flush=True)
    return said


def _machine(server: Cluster) -> str:
    [[postgres]] = server.sql("show server_version")
    system = platform.freedesktop_os_release()["PRETTY_NAME"]
    python = platform.python_version()
    return f"{os.cpu_count()} cores, {system}, Python {python}, Postgres {postgres}"


if __name__ == "__main__":
    sys.exit(main())
