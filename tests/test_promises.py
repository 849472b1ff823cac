"""The counts that back the promises in the README are those of the suites."""

import re
from pathlib import Path

from tests.attacks.operations import operations
from tests.attacks.test_canaries import spoilt
from tests.attacks.test_hostile import all_values
from tests.attacks.test_slow import SLOW, WAYS
from tests.attacks.test_tenants import cases
from tests.faults.figures import LONG
from tests.faults.rows_kept import FAULTS
from tests.faults.rows_network import SMALL_POOL

ROOT = Path(__file__).resolve().parents[1]
ROW = re.compile(r"^(\w[\w ,-]{33})((?: +\d+){7})", re.MULTILINE)
CUT = re.compile(r"(\d+) commits and (\d+) answers cut")


def test_the_counts_in_the_readme_are_those_of_the_suites() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    promises = text.split("<!-- promises: begin -->")[1].split("<!-- promises: end -->")[0]
    lines = [line for line in promises.splitlines() if line.startswith("| P")]
    assert [numbers(line) for line in lines] == expected()


def numbers(line: str) -> list[int]:
    """The numbers of what backs a promise."""
    told = line.replace("5xx", "").split("|")[3]
    return [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", told)]


def expected() -> list[list[int]]:
    """What the last long run and the attack suite say, in the order of the promises."""
    run = (ROOT / "tests" / "faults" / "last_run.md").read_text("utf-8")
    rows = {name.strip(): [int(n) for n in counts.split()] for name, counts in ROW.findall(run)}
    faults = {name: counts[0] for name, counts in rows.items()}
    steps = faults.pop("model check")
    _, acknowledged, lost, doubled, invented, half, wrong = map(
        sum, zip(*rows.values(), strict=True)
    )
    assert invented == half == 0
    lost_answers = sum(int(count) for cut in CUT.findall(run) for count in cut)
    canaries = sum(len(list(spoilt(one))) for one in operations())
    return [
        [
            faults["database killed"],
            faults["service worker killed"],
            lost_answers,
            acknowledged,
            lost,
        ],
        [faults["twins"], faults["disorder"], doubled],
        [steps, 0],
        [wrong, len(rows), len(FAULTS)],
        [len(list(cases()))],
        [len(all_values()), len(operations()), 0],
        [SLOW, len(WAYS), LONG.cancelled, LONG.clients, SMALL_POOL],
        [canaries, 0],
    ]
