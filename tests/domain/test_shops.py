"""Money: integers of minor units in the domain, exact decimals in JSON."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.shops import AMOUNT_MAX, CURRENCY_DIGITS, minor_units, money


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [
        ("0", "CNY", 0),
        ("0.1", "CNY", 10),
        ("0.01", "CNY", 1),
        ("120000.00", "CNY", 12_000_000),
        ("10000000000.00", "CNY", AMOUNT_MAX),
        ("1200", "JPY", 1200),
        ("1000000000000", "JPY", AMOUNT_MAX),
        ("1.234", "BHD", 1234),
        ("1", "CLF", 10_000),
        ("100000000.0000", "CLF", AMOUNT_MAX),
    ],
)
def test_amounts_are_read_in_minor_units(amount: str, currency: str, units: int) -> None:
    """Missing fraction digits are zeros."""
    assert minor_units(amount, currency) == units


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("0.001", "CNY"),
        ("1.001000", "CNY"),
        ("1.1", "JPY"),
        ("10000000000.01", "CNY"),
        ("1000000000001", "JPY"),
        ("9" * 5000, "CNY"),
    ],
)
def test_amounts_that_do_not_fit_are_refused(amount: str, currency: str) -> None:
    """More fraction digits than the currency, but for zeros, and larger amounts are errors."""
    with pytest.raises(ValueError, match="at most"):
        minor_units(amount, currency)


@given(st.integers(0, AMOUNT_MAX), st.sampled_from(sorted(CURRENCY_DIGITS)))
def test_money_is_shown_exactly(units: int, currency: str) -> None:
    """Printing and reading gives the same amount, with exactly the currency's digits."""
    shown, digits = money(units, currency), CURRENCY_DIGITS[currency]
    assert minor_units(shown, currency) == units
    assert Decimal(shown) == Decimal(units).scaleb(-digits)
    assert len(shown.partition(".")[2]) == digits


@pytest.mark.parametrize(
    ("units", "currency", "shown"),
    [(-5, "CNY", "-0.05"), (-1234, "CNY", "-12.34"), (-7, "JPY", "-7"), (5, "KWD", "0.005")],
)
def test_small_and_negative_money_keeps_its_zeros(units: int, currency: str, shown: str) -> None:
    """The whole part is never empty."""
    assert money(units, currency) == shown
