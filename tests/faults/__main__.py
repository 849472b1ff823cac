"""The long form: `python -m tests.faults [seed]`; ends with 1 when a row is red or cannot be.

A run that was not red stands in `last_run.md` afterwards, in place of the one before.
"""

import os
import platform
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.figures import LONG, TELLING, Figures, Form, closing_table
from tests.faults.rows import LONG_ROWS, TOLD_BY, Row
from tests.harness.postgres import Cluster, start_cluster

LAST_RUN = Path(__file__).with_name("last_run.md")

_TEXT = """# The last long run of the fault suite

Written by `make faults`: {day}, {machine}, {minutes:.0f} minutes.

```
{table}
```

With a promise broken on purpose, the first complaint of the row that must tell:

| broken | complaint |
|---|---|
{controls}
"""


def main() -> int:
    """Run every row and every negative control; the closing table goes to stdout."""
    form = replace(LONG, seed=int(sys.argv[1])) if sys.argv[1:] else LONG
    started = time.monotonic()
    with start_cluster() as server:
        machine = _machine(server)
        done = [_row(server, form, row) for row in LONG_ROWS]
        told = {control: _told(server, form, control) for control in TOLD_BY}
    print(closing_table(done, form.seed))
    if any(row.complaints for row in done) or not all(told.values()):
        return 1
    LAST_RUN.write_text(
        _TEXT.format(
            day=datetime.now(UTC).date(),
            machine=machine,
            minutes=(time.monotonic() - started) / 60,
            table=closing_table(done, form.seed),
            controls="\n".join(f"| {control} | {said} |" for control, said in told.items()),
        )
    )
    return 0


def _row(server: Cluster, form: Form, row: Row) -> Figures:
    started = time.monotonic()
    figures = row(server, form, "")
    took = time.monotonic() - started
    print(f"{row.__name__}, {took:.0f} s", file=sys.stderr)
    print(closing_table([figures], form.seed), file=sys.stderr, flush=True)
    return figures


def _told(server: Cluster, form: Form, control: str) -> str:
    """What the row said that must tell; empty where it did not."""
    row, complaint = TOLD_BY[control]
    complaints = row(server, replace(TELLING, seed=form.seed), control).complaints
    said = next((one for one in complaints if complaint in one), "")
    print(f"{control}: {said or 'NOT SEEN'}", flush=True)
    return said


def _machine(server: Cluster) -> str:
    [[postgres]] = server.sql("show server_version")
    system = platform.freedesktop_os_release()["PRETTY_NAME"]
    python = platform.python_version()
    return f"{os.cpu_count()} cores, {system}, Python {python}, Postgres {postgres}"


if __name__ == "__main__":
    sys.exit(main())
