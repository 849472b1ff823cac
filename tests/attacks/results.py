"""What the attack suite tries, counted from what its tests go through."""

from pathlib import Path

import msgspec

from tests.attacks.operations import operations
from tests.attacks.test_canaries import spoilt
from tests.attacks.test_hostile import all_values
from tests.attacks.test_slow import SLOW, WAYS
from tests.attacks.test_tenants import cases

FILE = Path(__file__).with_name("results.json")


class Results(msgspec.Struct, frozen=True):
    """Counts of a run in which every test passed."""

    day: str
    operations: int
    foreign_ids: int
    hostile_values: int
    slow_connections: int
    slow_ways: int
    marked_requests: int


def count_attacks(day: str) -> Results:
    """Return what a run of a day tries."""
    return Results(
        day=day,
        operations=len(operations()),
        foreign_ids=len(list(cases())),
        hostile_values=len(all_values()),
        slow_connections=SLOW,
        slow_ways=len(WAYS),
        marked_requests=sum(len(list(spoilt(operation))) for operation in operations()),
    )


def read_results() -> Results:
    """Return the counts of the last run."""
    return msgspec.json.decode(FILE.read_bytes(), type=Results)


def write_results(results: Results) -> None:
    """Put counts in place of those of the run before."""
    FILE.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")
