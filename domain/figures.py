"""Exact arithmetic, rounded once at the end: half away from zero."""

from fractions import Fraction

SCORE_DIGITS = 5
RATE_DIGITS = 6
PERCENT_DIGITS = 2

_SCALES: list[int] = [10**digits for digits in range(1 + RATE_DIGITS)]


def rounded(value: Fraction, digits: int) -> float:
    """Return the float whose shortest decimal form is `value` rounded half away from zero."""
    return rounded_quotient(value.numerator, value.denominator, digits)


def rounded_quotient(numerator: int, denominator: int, digits: int) -> float:
    """Return `numerator / denominator`, rounded as by `rounded`; `denominator` is above 0."""
    if numerator < 0:
        # `0.0 - x` rather than `-x`, so that zero has no sign.
        return 0.0 - rounded_quotient(-numerator, denominator, digits)
    scale = _SCALES[digits]
    return (2 * numerator * scale + denominator) // (2 * denominator) / scale


def score(value: Fraction | None) -> float | None:
    """Return a score, mean, change, effect or forecast: 5 decimals."""
    return None if value is None else rounded(value, SCORE_DIGITS)


def rate(value: Fraction | None) -> float | None:
    """Return a share of listings or of stock: 6 decimals."""
    return None if value is None else rounded(value, RATE_DIGITS)


def percent(value: Fraction | None) -> float | None:
    """Return a percent or percentile, already times 100: 2 decimals."""
    return None if value is None else rounded(value, PERCENT_DIGITS)


def quotient(numerator: int, denominator: int) -> Fraction | None:
    """Return `numerator / denominator`, exactly; None where the denominator is 0."""
    return Fraction(numerator, denominator) if denominator else None


def difference(after: Fraction | None, before: Fraction | None) -> Fraction | None:
    """Return `after - before`, exactly; None where either is None."""
    return None if after is None or before is None else after - before


def percentile(below: int, shops: int) -> float | None:
    """Return the percent of the other shops that are below; None without others."""
    if shops < 2:
        return None
    return rounded_quotient(100 * below, shops - 1, PERCENT_DIGITS)
