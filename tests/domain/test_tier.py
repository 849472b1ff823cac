"""Tier: sales against the cuts of a ladder, or of the peers' sales."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.days import window
from domain.rules import BandShares
from domain.tier import (
    Ladder,
    LadderDraft,
    SalesGroup,
    TierBasis,
    TierDetail,
    quantile_cuts,
    sales,
    tier,
    tier_detail,
)
from tests.domain.builders import day, rules, totals

SPAN = window(day(29), 30)
LADDER = Ladder("CNY", (1000, 2000, 3000, 4000, 5000, 6000))
QUANTILES = ["0.40", "0.70", "0.82", "0.90", "0.95", "0.99"]


def detail(paid: int, basis: TierBasis, **changed: Any) -> TierDetail:
    """Return the tier of a shop with an amount paid, none on the oldest day."""
    return tier_detail(totals(paid=paid), totals(), SPAN, basis, rules(**changed))


def group(*sold: int, own: int | None = None) -> TierBasis:
    """Return a basis of peers' sales in yuan, without a ladder."""
    return TierBasis("CNY", group=SalesGroup(day(20), sorted(sold), own))


@pytest.mark.parametrize(
    ("paid", "level", "band"),
    [
        (0, 1, "bottom"),
        (999, 1, "bottom"),
        (1000, 2, "bottom"),
        (2000, 3, "waist"),
        (3999, 4, "waist"),
        (5999, 6, "top"),
        (5000, 6, "top"),
        (4999, 5, "waist"),
        (6000, 7, "top"),
        (10**15, 7, "top"),
    ],
)
def test_a_cut_that_is_met_is_passed(paid: int, level: int, band: str) -> None:
    """Levels 1 and 2 are bottom, 3 to 5 waist, 6 and 7 top."""
    result = tier(totals(paid=paid), SPAN, TierBasis("CNY", LADDER), rules())
    assert (result.status, result.level, result.band, result.window) == ("ok", level, band, SPAN)


@pytest.mark.parametrize(
    ("paid", "refunded", "reduce", "expected"),
    [(500, 200, False, 500), (500, 200, True, 300), (500, 900, True, 0), (0, 0, True, 0)],
)
def test_refunds_reduce_sales_where_rules_say_so(
    paid: int, refunded: int, expected: int, *, reduce: bool
) -> None:
    """Sales less refunds are never below 0."""
    scoring = rules(refunds_reduce_sales=reduce)
    assert sales(totals(paid=paid, refunded=refunded), scoring) == expected


def test_the_next_cut_and_the_present_cut_are_shown() -> None:
    """Between two cuts there are a gap above and a margin below."""
    members = msgspec.to_builtins(detail(2500, TierBasis("CNY", LADDER)))
    assert members["next"] == {"level": 4, "amount": "30.00", "gap": "5.00"}
    assert members["floor"] == {"amount": "20.00", "margin": "5.00"}
    assert members["ladder"] == {"source": "amounts", "as_of": None}
    assert members["shares"] == {
        "shops": 0.25,
        "traffic": 0.4,
        "relative_traffic": 1.6,
        "verified": False,
    }
    assert detail(6000, TierBasis("CNY", LADDER)).next is None
    assert detail(999, TierBasis("CNY", LADDER)).floor is None


@pytest.mark.parametrize(("paid", "relative"), [(0, 0.42857), (2000, 1.6), (5000, 6.0)])
def test_relative_traffic_is_traffic_over_shops(paid: int, relative: float) -> None:
    """A band's share of traffic by its share of shops, at 5 decimals."""
    shares = detail(paid, TierBasis("CNY", LADDER)).shares
    assert shares is not None
    assert shares.relative_traffic == relative


def test_a_band_without_shops_has_no_relative_traffic() -> None:
    """Relative traffic is null where the share of shops is 0."""
    band_shares = BandShares(shops=["0", "0.95", "0.05"], traffic=["0.30", "0.40", "0.30"])
    shares = detail(0, TierBasis("CNY", LADDER), band_shares=band_shares).shares
    assert shares is not None
    assert (shares.shops, shares.traffic, shares.relative_traffic) == (0.0, 0.3, None)


def test_the_amount_leaving_tomorrow_was_paid_on_the_oldest_day() -> None:
    """Refunds of the oldest day do not matter."""
    result = tier_detail(
        totals(paid=900, refunded=100),
        totals(paid=300, refunded=100),
        SPAN,
        TierBasis("CNY"),
        rules(refunds_reduce_sales=True),
    )
    assert (result.sales, result.leaving_tomorrow) == ("8.00", "3.00")


def test_without_a_ladder_there_are_sales_alone() -> None:
    """Without a ladder sales, currency, window and the leaving amount alone are set."""
    assert msgspec.to_builtins(detail(1200, TierBasis("JPY"))) == {
        "status": "no_ladder",
        "level": None,
        "band": None,
        "sales": "1200",
        "currency": "JPY",
        "window": {"start": "2026-03-01", "end": "2026-03-30", "days": 30},
        "next": None,
        "floor": None,
        "leaving_tomorrow": "0",
        "ladder": None,
        "percentile": None,
        "shares": None,
    }


def test_a_ladder_in_another_currency_is_not_used() -> None:
    """Quantiles of enough peers replace a ladder in another currency."""
    foreign = Ladder("USD", LADDER.amounts)
    assert detail(2500, TierBasis("CNY", foreign)).status == "no_ladder"
    peers = SalesGroup(day(20), [0, 0, 0, 0, 0], 0)
    source = detail(2500, TierBasis("CNY", foreign, peers)).ladder
    assert source is not None
    assert (source.source, source.as_of) == ("quantiles", day(20))


def test_quantiles_of_ten_shops() -> None:
    """The smallest of 0, 100, … 900 that 40 % do not exceed is 300."""
    assert quantile_cuts(range(0, 1000, 100), QUANTILES) == [301, 601, 801, 801, 901, 901]


def test_equal_cuts_are_passed_at_once() -> None:
    """Below two equal cuts the next level is that above both."""
    ten = group(*range(0, 1000, 100))
    result = detail(800, ten)
    assert result.level == 3
    assert result.next is not None
    assert (result.next.level, result.next.amount, result.next.gap) == (5, "8.01", "0.01")
    assert detail(801, ten).level == 5
    top = detail(901, ten)
    assert (top.level, top.next) == (7, None)
    assert top.floor is not None
    assert top.floor.margin == "0.00"


def test_shops_without_sales_stay_at_the_bottom() -> None:
    """Without any sales every cut is one minor unit."""
    nobody = group(0, 0, 0, 0, 0, own=0)
    assert detail(0, nobody).level == 1
    assert detail(1, nobody).level == 7


@pytest.mark.parametrize(("min_shops", "status"), [(5, "ok"), (6, "no_ladder")])
def test_quantiles_and_percentile_take_enough_peers(min_shops: int, status: str) -> None:
    """Below `peer_min_shops` of the shop's rules there are neither."""
    result = detail(300, group(1, 2, 3, 3, 5, own=3), peer_min_shops=min_shops)
    assert result.status == status
    assert result.percentile == (50.0 if status == "ok" else None)


def test_a_percentile_is_that_of_the_snapshot() -> None:
    """Only shops in the snapshot have a percentile, with or without a ladder."""
    assert detail(300, group(1, 2, 3, 4, 5)).percentile is None
    peers = SalesGroup(day(20), [1, 2, 3, 4], 4)
    basis = TierBasis("CNY", LADDER, peers)
    assert detail(0, basis, peer_min_shops=4).percentile == 100.0
    assert detail(0, basis, peer_min_shops=5).percentile is None


_sales = st.lists(st.integers(0, 50), min_size=1, max_size=60).map(sorted)


@given(_sales, st.integers(1, 999))
def test_a_quantile_is_the_smallest_that_enough_do_not_exceed(
    sold: Sequence[int], per_mille: int
) -> None:
    """A cut is `percentile_disc`, by its definition, plus one minor unit."""
    share = Fraction(per_mille, 1000)
    expected = min(
        value for value in sold if sum(other <= value for other in sold) >= share * len(sold)
    )
    assert quantile_cuts(sold, [f"0.{per_mille:03}"]) == [expected + 1]


@given(_sales, st.integers(0, 60))
def test_a_level_lies_between_its_cuts(sold: list[int], paid: int) -> None:
    """Sales plus the gap reach the next level, a minor unit less does not."""
    basis = group(*sold)
    result = detail(paid, basis, peer_min_shops=1)
    cuts = quantile_cuts(sorted(sold), QUANTILES)
    assert result.level == 1 + sum(cut <= paid for cut in cuts)
    if result.next is not None:
        missing = int(result.next.gap.replace(".", ""))
        assert missing > 0
        assert detail(paid + missing, basis, peer_min_shops=1).level == result.next.level
        assert detail(paid + missing - 1, basis, peer_min_shops=1).level == result.level


def drafted(**changed: Any) -> LadderDraft:
    """Return a ladder as a caller sends it."""
    amounts = ["1000.00", "2000", "3000.5", "4000", "5000", "6000"]
    return msgspec.convert({"currency": "CNY", "amounts": amounts, **changed}, LadderDraft)


def test_a_ladder_holds_minor_units() -> None:
    """A ladder is shown with exactly the currency's digits."""
    ladder = drafted().ladder()
    assert ladder == Ladder("CNY", (100_000, 200_000, 300_050, 400_000, 500_000, 600_000))
    assert ladder.draft().amounts[1:3] == ["2000.00", "3000.50"]
    assert ladder.draft().ladder() == ladder
