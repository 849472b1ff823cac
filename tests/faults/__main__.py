"""The long form: `python -m tests.faults [seed]`; ends with 1 when a row is red or cannot be."""

import sys
from dataclasses import replace

from tests.faults.cluster import cluster
from tests.faults.figures import LONG, TELLING, Figures, closing_table
from tests.faults.rows import LONG_ROWS, TOLD_BY


def main() -> int:
    """Run every row and every negative control; the closing table goes to stdout."""
    form = replace(LONG, seed=int(sys.argv[1])) if sys.argv[1:] else LONG
    done: list[Figures] = []
    with cluster() as server:
        for row in LONG_ROWS:
            print(f"{row.__name__} …", file=sys.stderr, flush=True)
            done.append(row(server, form, ""))
            print(closing_table(done[-1:], form.seed), file=sys.stderr, flush=True)
        telling = replace(TELLING, seed=form.seed)
        blind = []
        for control, (row, complaint) in TOLD_BY.items():
            complaints = row(server, telling, control).complaints
            told = [one for one in complaints if complaint in one]
            print(f"{control}: {told[0] if told else 'NOT SEEN'}", flush=True)
            blind += [] if told else [control]
    print(closing_table(done, form.seed))
    return 1 if blind or any(row.complaints for row in done) else 0


if __name__ == "__main__":
    sys.exit(main())
