"""What a row of the fault table came to, and all rows as one table."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Form:
    """How much of each fault: the short form for every change, the long one for a proof."""

    name: str
    database_kills: int
    worker_kills: int
    lost_answers: int
    cancelled: int
    stopped_s: float
    clients: int
    twins: int
    outages: int
    seed: int = 20_261_121


SHORT = Form(
    name="short",
    database_kills=3,
    worker_kills=3,
    lost_answers=40,
    cancelled=400,
    stopped_s=3.0,
    clients=120,
    twins=12,
    outages=1,
)
TELLING = replace(SHORT, name="telling", database_kills=1, lost_answers=20)
"""Enough for a broken promise to show."""

LONG = Form(
    name="long",
    database_kills=51,
    worker_kills=50,
    lost_answers=1_000,
    cancelled=10_000,
    stopped_s=10.0,
    clients=500,
    twins=120,
    outages=5,
)


@dataclass
class Figures:
    """Figures of one row; `broken` says in words which claims did not hold."""

    row: str
    faults: int = 0
    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    invented: int = 0
    half_stored: int = 0
    totals_wrong: int = 0
    ready_s: list[float] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    """Other counts that documents quote, by name."""
    notes: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def claim(self, holds: object, otherwise: str) -> None:
        """Note a claim that does not hold."""
        if not holds:
            self.broken.append(otherwise)

    @property
    def complaints(self) -> list[str]:
        """Everything that makes this row red."""
        counted = {
            "acknowledged events are missing": self.lost,
            "events count twice": self.doubled,
            "stored events were never sent": self.invented,
            "batches are half stored": self.half_stored,
            "totals are wrong": self.totals_wrong,
        }
        return [f"{count} {what}" for what, count in counted.items() if count] + self.broken


_HEADS = (
    ("fault", 34),
    ("faults", 7),
    ("acknowledged", 13),
    ("lost", 5),
    ("doubled", 8),
    ("invented", 9),
    ("half", 5),
    ("totals wrong", 13),
    ("ready s", 8),
)


def closing_table(rows: Iterable[Figures], seed: int) -> str:
    """All rows with the seed that drew them."""
    lines = ["".join(head.ljust(34) if head == "fault" else head.rjust(w) for head, w in _HEADS)]
    for row in rows:
        ready = f"{max(row.ready_s):.1f}" if row.ready_s else "-"
        counts = (row.faults, row.acknowledged, row.lost, row.doubled, row.invented)
        cells = (*counts, row.half_stored, row.totals_wrong, ready)
        widths = [width for _, width in _HEADS[1:]]
        figures = "".join(f"{cell}".rjust(w) for cell, w in zip(cells, widths, strict=True))
        red = " RED" if row.complaints else ""
        lines += [f"{row.row:<34}{figures}{red}"]
        lines += [f"    {note}" for note in row.notes]
        lines += [f"    RED: {complaint}" for complaint in row.complaints]
    return "\n".join([*lines, f"seed {seed}"])
