"""Figures are exact until they are rounded, once."""

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import figures


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [
        (Fraction(44, 9), 5, 4.88889),
        (Fraction(1, 200_000), 5, 0.00001),
        (Fraction(-1, 200_000), 5, -0.00001),
        (Fraction(1, 200_001), 5, 0.0),
        (Fraction(-1, 200_001), 5, 0.0),
        (Fraction(5, 1000), 2, 0.01),
        (Fraction(-2675, 1000), 2, -2.68),
        (Fraction(2675, 1000), 2, 2.68),
        (Fraction(61, 100), 6, 0.61),
        (Fraction(5), 0, 5.0),
    ],
)
def test_halves_are_rounded_away_from_zero(value: Fraction, digits: int, expected: float) -> None:
    """Halves round away from zero on both sides, where floats round to even."""
    assert figures.rounded(value, digits) == expected


@given(st.fractions(-(10**6), 10**6, max_denominator=10**6), st.integers(0, 6))
def test_rounding_agrees_with_decimal_arithmetic(value: Fraction, digits: int) -> None:
    """A fraction rounds as the decimal module rounds half up at great precision."""
    with localcontext() as context:
        context.prec = 80
        exact = Decimal(value.numerator) / Decimal(value.denominator)
        expected = exact.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
    assert Decimal(repr(figures.rounded(value, digits))) == expected


@pytest.mark.parametrize(
    ("figure", "expected"),
    [(figures.score, 0.66667), (figures.rate, 0.666667), (figures.percent, 0.67)],
)
def test_each_figure_has_its_own_digits(
    figure: Callable[[Fraction | None], float | None], expected: float
) -> None:
    """Scores have 5 decimals, rates 6, percents 2; None stays None."""
    assert figure(Fraction(2, 3)) == expected
    assert figure(None) is None


def test_a_quotient_over_zero_is_none() -> None:
    """A denominator of 0 gives None."""
    assert figures.quotient(0, 0) is None
    assert figures.quotient(3, 6) == Fraction(1, 2)


def test_a_difference_needs_both_sides() -> None:
    """A difference is None where either side is None."""
    assert figures.difference(Fraction(1), Fraction(3)) == -2
    assert figures.difference(None, Fraction(3)) is None
    assert figures.difference(Fraction(1), None) is None
