"""The reference's peers, tier and sell-through, computed by hand."""

from datetime import date
from fractions import Fraction

import pytest

from tests.reference.peers import percentile_disc
from tests.reference.rules import BUILT_IN
from tests.reference.small import TODAY, SmallWorld, at_noon, days_ago

_NO_PEERS = dict.fromkeys(
    ("shops", "mean", "min", "max", "percentile", "relation", "percent", "flag")
)
_RUNGS = ["1000", "2000.00", "3000.00", "4000.00", "5000.00", "6000.00"]


def _five_shops() -> SmallWorld:
    """Make five shops with scores of 4 5 3 2 1.

    Their sales are 40, 30, 20, 10 and 0.
    """
    small = SmallWorld()
    for shop_id in ("p2", "p3", "p4", "p5"):
        small.open_shop(shop_id)
    for shop_id, stars, sales in (
        ("s", 4, "40"),
        ("p2", 5, "30"),
        ("p3", 3, "20"),
        ("p4", 2, "10"),
        ("p5", 1, "0"),
    ):
        small.rate(at_noon(5), stars, shop_id=shop_id)
        small.pay(at_noon(5), sales, shop_id=shop_id)
    return small


@pytest.mark.parametrize(
    ("shop_id", "percentile", "relation", "percent", "flag"),
    [
        ("s", 75.0, "above", 50.0, "red"),
        ("p2", 100.0, "above", 100.0, "red"),
        ("p3", 50.0, "level", None, "none"),
        ("p4", 25.0, "below", 50.0, "green"),
        ("p5", 0.0, "below", 100.0, "green"),
    ],
)
def test_peers(
    shop_id: str, percentile: float, relation: str, percent: float | None, flag: str
) -> None:
    small = _five_shops()
    small.reference.snapshot(days_ago(2))
    peers = small.reference.dsr(shop_id, TODAY)["dsr"]["description"]["peers"]
    assert peers == {
        "status": "ok",
        "as_of": "2026-11-19",
        "shops": 5,
        "mean": 3.0,
        "min": 1.0,
        "max": 5.0,
        "percentile": percentile,
        "relation": relation,
        "percent": percent,
        "flag": flag,
    }


def test_peers_of_an_older_snapshot_meet_the_score_of_the_day() -> None:
    small = _five_shops()
    small.open_shop("new")
    small.reference.snapshot(days_ago(2))
    small.rate(at_noon(0), 5, shop_id="new")
    small.rate_all(at_noon(0), [5] * 9)
    of_new = small.reference.dsr("new", TODAY)["dsr"]["description"]["peers"]
    assert (of_new["percentile"], of_new["percent"], of_new["flag"]) == (None, 100.0, "red")
    assert small.description()["peers"]["percent"] == 95.0


def test_the_first_reason_for_no_comparison_is_told() -> None:
    small = _five_shops()
    assert small.description()["peers"] == {**_NO_PEERS, "status": "no_snapshot", "as_of": None}
    small.reference.snapshot(days_ago(6))
    assert small.description()["peers"] == {
        **_NO_PEERS,
        "status": "too_few_peers",
        "as_of": "2026-11-15",
    }
    assert small.reference.dsr("s", TODAY)["dsr"]["service"]["peers"] == {
        **_NO_PEERS,
        "status": "no_score",
        "as_of": "2026-11-15",
    }


def test_a_shops_rules_decide_how_many_peers_it_needs() -> None:
    small = _five_shops()
    small.open_shop("p5", category="elsewhere")
    small.reference.snapshot(days_ago(2))
    assert small.description()["peers"]["status"] == "too_few_peers"
    small.reference.put_rules("few", {**BUILT_IN["taobao"], "peer_min_shops": 4})
    small.open_shop("s", rules="few")
    assert small.description()["peers"]["mean"] == 3.5


def test_tier_on_a_ladder() -> None:
    small = SmallWorld()
    small.reference.put_ladder("m", "c", {"currency": "CNY", "amounts": _RUNGS})
    small.pay(at_noon(30), "9999")
    small.pay(at_noon(29), "1000")
    small.pay(at_noon(0), "2000.5")
    small.refund(at_noon(0), "700")
    assert small.reference.tier("s", TODAY)["tier"] == {
        "status": "ok",
        "level": 4,
        "band": "waist",
        "sales": "3000.50",
        "currency": "CNY",
        "window": {"start": "2026-10-23", "end": "2026-11-21", "days": 30},
        "next": {"level": 5, "amount": "4000.00", "gap": "999.50"},
        "floor": {"amount": "3000.00", "margin": "0.50"},
        "leaving_tomorrow": "1000.00",
        "ladder": {"source": "amounts", "as_of": None},
        "percentile": None,
        "shares": {"shops": 0.25, "traffic": 0.4, "relative_traffic": 1.6, "verified": False},
    }


@pytest.mark.parametrize(
    ("sales", "level", "band"),
    [
        ("999.99", 1, "bottom"),
        ("1000", 2, "bottom"),
        ("2000", 3, "waist"),
        ("4999.99", 5, "waist"),
        ("5000", 6, "top"),
        ("6000", 7, "top"),
    ],
)
def test_a_level_begins_at_its_amount(sales: str, level: int, band: str) -> None:
    small = SmallWorld()
    small.reference.put_ladder("m", "c", {"currency": "CNY", "amounts": _RUNGS})
    small.pay(at_noon(0), sales)
    tier = small.reference.tier("s", TODAY)["tier"]
    assert (tier["level"], tier["band"]) == (level, band)
    assert (tier["floor"] is None) == (level == 1)
    assert (tier["next"] is None) == (level == 7)


def test_refunds_reduce_sales_where_the_rules_say_so_but_not_below_nothing() -> None:
    small = SmallWorld(refunds_reduce_sales=True)
    small.pay(at_noon(40), "100")
    small.pay(at_noon(2), "30")
    small.refund(at_noon(1), "20.01")
    tier = small.reference.tier("s", TODAY)["tier"]
    assert (tier["sales"], tier["leaving_tomorrow"]) == ("9.99", "0.00")
    small.refund(at_noon(1), "50")
    assert small.reference.tier("s", TODAY)["tier"]["sales"] == "0.00"


def test_tier_by_quantiles_of_the_peers() -> None:
    """Cut a minor unit above the quantiles 10, 30 and 40."""
    small = _five_shops()
    small.reference.snapshot(days_ago(2))
    tier = small.reference.tier("s", TODAY)["tier"]
    assert (tier["level"], tier["percentile"]) == (3, 100.0)
    assert tier["floor"] == {"amount": "30.01", "margin": "9.99"}
    assert tier["next"] == {"level": 7, "amount": "40.01", "gap": "0.01"}
    assert tier["ladder"] == {"source": "quantiles", "as_of": "2026-11-19"}
    assert small.reference.tier("p3", TODAY)["tier"]["level"] == 2
    assert small.reference.tier("p4", TODAY)["tier"]["level"] == 1
    small.pay(at_noon(0), "0.01")
    at_the_top = small.reference.tier("s", TODAY)["tier"]
    assert (at_the_top["level"], at_the_top["next"]) == (7, None)
    assert at_the_top["shares"]["relative_traffic"] == 6.0


def test_no_ladder_without_snapshot_or_in_another_currency() -> None:
    small = _five_shops()
    small.reference.put_ladder("m", "c", {"currency": "JPY", "amounts": list("123456")})
    small.open_shop("yen", currency="JPY")
    small.reference.snapshot(days_ago(2))
    assert small.reference.tier("s", TODAY)["tier"]["ladder"]["source"] == "quantiles"
    assert small.reference.tier("yen", TODAY)["tier"]["ladder"]["source"] == "amounts"
    assert small.reference.tier("s", days_ago(3))["tier"] == {
        "status": "no_ladder",
        "level": None,
        "band": None,
        "sales": "40.00",
        "currency": "CNY",
        "window": {"start": "2026-10-20", "end": "2026-11-18", "days": 30},
        "next": None,
        "floor": None,
        "leaving_tomorrow": "0.00",
        "ladder": None,
        "percentile": None,
        "shares": None,
    }


def test_percentile_disc() -> None:
    values = [10, 0, 40, 20, 30]
    shares = {"0.2": 0, "0.20001": 10, "0.4": 10, "0.7": 30, "0.8": 30, "0.81": 40, "0.99": 40}
    values_by_share = {share: percentile_disc(values, Fraction(share)) for share in shares}
    assert values_by_share == shares
    assert percentile_disc([7], Fraction("0.4")) == 7


def test_sell_through() -> None:
    small = SmallWorld()
    for listing in ("sold", "sold-before", "unsold", "withdrawn"):
        small.list("published", at_noon(50), listing)
    small.list("withdrawn", at_noon(1), "withdrawn")
    small.pay(at_noon(29), "1", "sold")
    small.pay(at_noon(30), "1", "sold-before")
    for listing in ("withdrawn", "never-named"):
        small.pay(at_noon(3), "1", listing)
    assert small.reference.sell_through("s", TODAY)["sell_through"] == {
        "status": "ok",
        "rate": 0.333333,
        "sold": 1,
        "on_sale": 3,
        "unlisted_sold": 1,
        "window": {"start": "2026-10-23", "end": "2026-11-21", "days": 30},
    }
    assert small.reference.sell_through("s", TODAY, 31)["sell_through"]["rate"] == 0.666667
    nothing = small.reference.sell_through("s", days_ago(51))["sell_through"]
    assert (nothing["status"], nothing["rate"]) == ("none", None)


def test_relisting_starts_a_new_run_and_shows() -> None:
    small = SmallWorld()
    small.list("published", at_noon(100), title="first")
    small.list("published", at_noon(90), title="second")
    assert small.reference.listings("s", days_ago(80))["items"][0]["published_on"] == "2026-08-13"
    small.list("withdrawn", at_noon(50))
    small.list("published", at_noon(50))
    assert small.reference.listings("s", days_ago(45))["items"][0]["published_on"] is None
    small.list("published", at_noon(40))
    small.list("edited", at_noon(30))
    small.pay(at_noon(95), "5", quantity=9)
    small.pay(at_noon(20), "5", quantity=3)
    small.tell("stock.counted", at_noon(60), {"listing_id": "l", "on_hand": 0})
    small.tell("stock.counted", at_noon(10), {"listing_id": "l", "on_hand": 7})
    assert small.reference.listings("s", TODAY)["items"] == [
        {
            "listing_id": "l",
            "title": "second",
            "on_sale": True,
            "published_on": "2026-10-12",
            "first_published_on": "2026-08-13",
            "age_days": 40,
            "edited_on": "2026-10-22",
            "last_sold_on": "2026-11-01",
            "units_sold": 3,
            "stock": 7,
            "rate": 0.428571,
        }
    ]
    before = small.reference.listings("s", days_ago(11))["items"][0]
    assert (before["stock"], before["rate"], before["units_sold"]) == (0, None, 3)


def test_a_listing_only_edited_exists_but_was_never_published() -> None:
    small = SmallWorld()
    small.list("edited", at_noon(3))
    assert small.reference.listings("s", days_ago(4))["items"] == []
    item = small.reference.listings("s", TODAY)["items"][0]
    assert (item["on_sale"], item["first_published_on"], item["age_days"]) == (False, None, None)
    assert small.reference.listings("s", TODAY, "on_sale")["items"] == []


def _in_view(small: SmallWorld, view: str, as_of: date = TODAY) -> list[str]:
    items = small.reference.listings("s", as_of, view)["items"]
    return [item["listing_id"] for item in items]


def test_zero_payment() -> None:
    small = SmallWorld()
    for listing, age in (("a-new", 0), ("b-89", 89), ("c-90", 90), ("d-sold", 50), ("e-then", 50)):
        small.list("published", at_noon(age), listing)
    small.pay(at_noon(6), "0", "d-sold")
    small.pay(at_noon(7), "0", "e-then")
    assert _in_view(small, "zero_payment") == ["a-new", "b-89", "e-then"]


def test_zero_payment_in_the_other_reading() -> None:
    small = SmallWorld(
        zero_payment={"published": "before", "published_days": 90, "no_sale_days": 7}
    )
    small.list("published", at_noon(89), "b-89")
    small.list("published", at_noon(90), "c-90")
    assert _in_view(small, "zero_payment") == ["c-90"]


def test_slow() -> None:
    small = SmallWorld()
    for listing in ("dull", "edited", "sold", "edited-then"):
        small.list("published", at_noon(90), listing)
    small.list("published", at_noon(89), "young")
    small.list("edited", at_noon(89), "edited")
    small.list("edited", at_noon(90), "edited-then")
    small.pay(at_noon(89), "1", "sold")
    assert _in_view(small, "slow") == ["dull", "edited-then"]
    assert _in_view(small, "slow", days_ago(1)) == []
