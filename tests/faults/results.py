"""What the last long run came to: a file that the run writes, and its text."""

from pathlib import Path

import msgspec

from tests.faults.figures import Figures, closing_table

FILE = Path(__file__).with_name("results.json")

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


class Results(msgspec.Struct, frozen=True):
    """Figures of every row, and for each negative control the complaint of its row."""

    day: str
    machine: str
    minutes: float
    seed: int
    rows: list[Figures]
    controls: dict[str, str]

    def row(self, name: str) -> Figures:
        """Return the figures of a row."""
        return next(row for row in self.rows if row.row == name)


def read_results() -> Results:
    """Return the results of the last long run."""
    return msgspec.json.decode(FILE.read_bytes(), type=Results)


def write_results(results: Results) -> None:
    """Put results in place of those of the run before."""
    FILE.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")


def render_run(results: Results) -> str:
    """Return the results as a Markdown document."""
    return _TEXT.format(
        day=results.day,
        machine=results.machine,
        minutes=results.minutes,
        table=closing_table(results.rows, results.seed),
        controls="\n".join(f"| {name} | {said} |" for name, said in results.controls.items()),
    )
