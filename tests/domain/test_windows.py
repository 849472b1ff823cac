"""Windows: sums that are moved to another end equal the sums of that end."""

from collections.abc import Mapping
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from domain.counters import COLUMNS_OF
from domain.rules import Rules
from domain.totals import Totals
from domain.windows import Windows, moves, window_totals, windows, windows_before
from tests.domain.builders import SPAN, day, day_totals, short_rules

_ends = st.integers(-5, SPAN + 20).map(day)


def moved(sums: Totals, before: Windows, after: Windows, days: Mapping[date, Totals]) -> list[int]:
    """Add and subtract the days that `moves` returns, and no others."""
    total = list(sums)
    for move in moves(before, after):
        for totals in (row for at, row in days.items() if move.start <= at < move.until):
            for window, sign in move.signs.items():
                for place in range(len(total))[COLUMNS_OF[window]]:
                    total[place] += sign * totals[place]
    return total


@given(day_totals, _ends, _ends, short_rules)
def test_sums_move_forwards_and_backwards(
    days: dict[date, list[int]], start: date, end: date, rules: Rules
) -> None:
    """Sums move between any two ends, of overlapping windows or not."""
    before, after = windows_before(start, rules), windows(end, rules)
    assert moved(window_totals(days, before), before, after, days) == window_totals(days, after)
    assert moved(window_totals(days, after), after, before, days) == window_totals(days, before)


@given(_ends, short_rules)
def test_windows_of_one_end_have_nothing_to_move(end: date, rules: Rules) -> None:
    assert moves(windows(end, rules), windows(end, rules)) == []
