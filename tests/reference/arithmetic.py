"""Rounding, money and runs of days, in exact numbers."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from zoneinfo import ZoneInfo

SCORE_DIGITS = 5
RATE_DIGITS = 6
PERCENT_DIGITS = 2

_DIGITS_BUT_TWO = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}


def rounded_units(value: Fraction, digits: int) -> int:
    """Return `value` in units of 10^-digits, half away from zero."""
    scale: int = 10**digits
    units = math.floor(abs(value) * scale + Fraction(1, 2))
    return -units if value < 0 else units


def rounded(value: Fraction, digits: int) -> float:
    """Return the double nearest to `value` rounded half away from zero."""
    return float(Fraction(rounded_units(value, digits), 10**digits))


def score_or_null(value: Fraction | None) -> float | None:
    """Return `value` rounded to the digits of a score."""
    return None if value is None else rounded(value, SCORE_DIGITS)


def percent_or_null(value: Fraction | None) -> float | None:
    """Return `value`, already times 100, rounded to the digits of a percent."""
    return None if value is None else rounded(value, PERCENT_DIGITS)


def square_root(value: Fraction) -> Fraction:
    """Return the root to fifty digits, more than any rounding shows."""
    with localcontext() as context:
        context.prec = 50
        return Fraction((Decimal(value.numerator) / Decimal(value.denominator)).sqrt())


def currency_digits(currency: str) -> int:
    """Return how many fraction digits ISO 4217 gives a currency."""
    for digits, currencies in _DIGITS_BUT_TWO.items():
        if currency in currencies.split():
            return digits
    return 2


def minor_units(amount: str, digits: int) -> int | None:
    """Return an amount in minor units, or None with a part of a minor unit."""
    whole, _, fraction = amount.partition(".")
    significant = fraction.rstrip("0")
    if len(significant) > digits:
        return None
    return int(Decimal(whole + significant.ljust(digits, "0")))


def money(minor: int, currency: str) -> str:
    """Return minor units as a decimal string with exactly the currency's digits."""
    digits = currency_digits(currency)
    sign = "-" if minor < 0 else ""
    text = str(abs(minor)).rjust(digits + 1, "0")
    return sign + (f"{text[:-digits]}.{text[-digits:]}" if digits else text)


def day_of(instant: datetime, zone: ZoneInfo) -> date:
    """Return the calendar day of an instant in a zone."""
    return instant.astimezone(zone).date()


def instant_text(instant: datetime) -> str:
    """Return RFC 3339 text in UTC with `Z`, microseconds only where not zero."""
    return instant.replace(tzinfo=None).isoformat() + "Z"


@dataclass(frozen=True)
class Window:
    """Whole days, `start` and `end` both included."""

    start: date
    end: date

    def __contains__(self, day: date) -> bool:
        """Return whether the day lies inside, the edges included."""
        return self.start <= day <= self.end

    def __iter__(self) -> Iterator[date]:
        """Yield every day, oldest first."""
        for offset in range((self.end - self.start).days + 1):
            yield self.start + timedelta(days=offset)

    def shown(self) -> dict[str, str | int]:
        """Return the window in the form of an answer."""
        return {
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "days": (self.end - self.start).days + 1,
        }


def window_ending(end: date, days: int) -> Window:
    """Return the run of `days` days whose last is `end`."""
    return Window(end - timedelta(days=days - 1), end)
