"""Scores of the reference: worked cases of the design and cases computed by hand."""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction

import pytest

from tests.reference.arithmetic import money, rounded
from tests.reference.over_time import plan
from tests.reference.ratings import Tally
from tests.reference.rules import BUILT_IN, Json, rules_from
from tests.reference.small import TODAY, SmallWorld, at_noon, days_ago

_TAOBAO = rules_from("taobao", 1, BUILT_IN["taobao"])


def _tally(*histogram: int) -> Tally:
    return Tally(tuple(map(Fraction, histogram)))


@pytest.mark.parametrize(
    ("value", "digits", "shown"),
    [
        (Fraction(5, 1000), 2, 0.01),
        (Fraction(-5, 1000), 2, -0.01),
        (Fraction(44, 9), 5, 4.88889),
        (Fraction(4_499_999, 10**11), 5, 0.00004),
        (Fraction(-1, 10**9), 5, 0.0),
    ],
)
def test_rounding_goes_half_away_from_zero(value: Fraction, digits: int, shown: float) -> None:
    assert str(rounded(value, digits)) == str(shown)


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [(5, "CNY", "0.05"), (1200, "JPY", "1200"), (1, "KWD", "0.001"), (0, "BRL", "0.00")],
)
def test_money_has_the_currencys_digits(minor: int, currency: str, shown: str) -> None:
    assert money(minor, currency) == shown


@pytest.mark.parametrize(
    ("histogram", "score"),
    [
        ((1, 0, 0, 0, 19), 4.8),
        ((0, 2, 0, 0, 48), 4.88),
        ((2, 0, 0, 18, 80), 4.74),
        ((1, 0, 1, 3, 45), 4.82),
        ((0, 0, 0, 1, 9), 4.9),
        ((0, 0, 0, 1, 8), 4.88889),
    ],
)
def test_worked_scores(histogram: Sequence[int], score: float) -> None:
    assert _tally(*histogram).block(_TAOBAO)["score"] == score


def test_no_score_below_the_least_number_of_ratings() -> None:
    rules = rules_from("pinduoduo", 1, BUILT_IN["pinduoduo"])
    assert _tally(0, 0, 0, 0, 49).block(rules) == {
        "status": "insufficient",
        "score": None,
        "count": 49,
        "sum": 245,
        "histogram": [0, 0, 0, 0, 49],
    }
    assert _tally(0, 0, 0, 0, 50).block(rules)["score"] == 5.0
    assert _tally(0, 0, 0, 0, 0).block(rules)["status"] == "none"


def test_interval() -> None:
    """Compute for one five: a = 0.5 and 1.5, m = 12.5 / 3.5."""
    assert _tally(0, 0, 0, 0, 1).interval() == {"low": 2.1871, "high": 4.95576}
    assert _tally(0, 0, 0, 0, 100_000).interval() == {"low": 4.99987, "high": 5.0}
    assert _tally(0, 0, 0, 0, 0).interval() is None


def test_a_rating_is_inside_for_exactly_the_windows_days() -> None:
    small = SmallWorld()
    small.rate(days_ago(179).isoformat() + "T00:00:00+08:00", 4)
    small.rate(days_ago(180).isoformat() + "T23:59:59.999999+08:00", 1)
    assert small.description()["histogram"] == [0, 0, 0, 1, 0]
    assert small.description(days_ago(1))["histogram"] == [1, 0, 0, 1, 0]
    assert small.description(days_ago(-1))["histogram"] == [0, 0, 0, 0, 0]
    assert small.reference.dsr("s", TODAY)["dsr"]["window"] == {
        "start": "2026-05-26",
        "end": "2026-11-21",
        "days": 180,
    }


def test_the_day_is_that_of_the_shops_zone() -> None:
    small = SmallWorld(zone="Asia/Kathmandu", rating_window_days=1)
    small.rate("2026-11-20T18:14:59Z", 1)
    small.rate("2026-11-20T18:15:00Z", 5)
    assert small.description(date(2026, 11, 20))["histogram"] == [1, 0, 0, 0, 0]
    assert small.description(date(2026, 11, 21))["histogram"] == [0, 0, 0, 0, 1]


def test_late_is_counted_in_hours_not_in_calendar_days() -> None:
    """Cross 1 November 2026, when New York's day has 25 hours."""
    small = SmallWorld(zone="America/New_York")
    completed = "2026-10-25T12:00:00-04:00"
    on_time = small.rate("2026-11-09T11:00:00-05:00", 5, completed=completed)
    late = small.rate("2026-11-09T11:00:00.000001-05:00", 5, completed=completed)
    before_completion = small.rate("2026-10-20T11:00:00-05:00", 5, completed=completed)
    assert small.states() == {on_time: "counted", late: "late", before_completion: "counted"}
    assert small.reference.dsr("s", TODAY)["dsr"]["uncounted"] == {
        "late": 1,
        "capped": 0,
        "removed": 0,
    }


def test_the_cap_counts_by_buyer_and_month_of_completion() -> None:
    small = SmallWorld()
    october = "2026-10-31T15:59:59Z"
    november = "2026-10-31T16:00:00Z"
    in_october = [
        small.rate(f"2026-11-0{day}T12:00:00Z", {"service": 5}, completed=october, buyer="b")
        for day in (4, 3, 2, 1)
    ]
    in_november = small.rate("2026-11-05T12:00:00Z", 5, completed=november, buyer="b")
    states = small.states()
    assert [states[review] for review in in_october] == ["capped", "counted", "counted", "counted"]
    assert states[in_november] == "counted"
    small.act("removed", in_october[1], at_noon(1))
    states = small.states()
    assert [states[review] for review in in_october] == ["counted", "removed", "counted", "counted"]
    earlier = small.rate("2026-11-05T12:00:00Z", 5, completed="2026-10-31T15:59:58Z", buyer="b")
    assert small.states()[earlier] == "counted"
    assert small.states()[in_october[0]] == "capped"


def test_ties_under_the_cap_go_by_the_bytes_of_the_id() -> None:
    small = SmallWorld(ratings_per_buyer_month=1)
    for review_id in ("r-b", "r-B", "r-a"):
        data: Json = {
            "review_id": review_id,
            "order_id": "o",
            "buyer_id": "b",
            "scores": {"service": 3},
        }
        small.tell("review.posted", at_noon(3), data)
    assert small.states() == {"r-B": "counted", "r-a": "capped", "r-b": "capped"}


def test_of_removal_and_restoral_the_later_holds_and_the_removal_of_two_at_once() -> None:
    small = SmallWorld()
    small.act("removed", "r-0002", at_noon(9), "malicious")
    restored = small.rate(at_noon(8), 1)
    assert restored == "r-0001"
    removed_before = "r-0002"
    data: Json = {
        "review_id": removed_before,
        "order_id": "o",
        "buyer_id": "b",
        "scores": {"description": 1},
    }
    small.tell("review.posted", at_noon(7), data)
    small.act("removed", restored, at_noon(5), "other")
    small.act("restored", restored, at_noon(4))
    assert small.states() == {restored: "counted", removed_before: "removed"}
    small.act("removed", restored, at_noon(4))
    assert small.states()[restored] == "removed"
    items = small.reference.reviews("s", "removed")["items"]
    assert [item["removal"] for item in items] == [
        {"reason": "malicious", "at": "2026-11-12T04:00:00Z"},
        {"reason": None, "at": "2026-11-17T04:00:00Z"},
    ]


def test_change_of_a_day_a_week_and_a_month() -> None:
    small = SmallWorld(rating_window_days=30)
    small.rate(at_noon(35), 4)
    small.rate(at_noon(29), 5)
    small.rate(at_noon(3), 2)
    small.rate(at_noon(0), 2)
    assert small.description()["change"] == {"day": -0.5, "week": -1.5, "month": -1.0}
    assert small.description(days_ago(25))["change"] == {"day": 0.0, "week": 0.5, "month": None}


def test_effects_are_the_mean_over_both_orders() -> None:
    """Lose a 5 and gain a 3: by way of 17/4 or of 9/2."""
    small = SmallWorld(rating_window_days=7)
    small.rate(at_noon(8), 5)
    small.rate_all(at_noon(5), (5, 4))
    small.rate(at_noon(1), 3)
    answer = small.reference.change("s", days_ago(2), days_ago(1))
    assert answer["description"] == {
        "before": 4.66667,
        "after": 4.0,
        "delta": -0.66667,
        "entered": {"sum": 3, "count": 1, "effect": -0.45833},
        "left": {"sum": 5, "count": 1, "effect": -0.20833},
    }
    assert answer["service"] == {
        "before": None,
        "after": None,
        "delta": None,
        "entered": {"sum": 0, "count": 0, "effect": None},
        "left": {"sum": 0, "count": 0, "effect": None},
    }


def test_no_effects_where_the_way_leads_through_nothing() -> None:
    small = SmallWorld(rating_window_days=7, min_ratings=100)
    small.rate(at_noon(7), 5)
    small.rate(at_noon(0), 3)
    block = small.reference.change("s", days_ago(1), TODAY)["description"]
    assert (block["before"], block["after"], block["delta"]) == (5.0, 3.0, -2.0)
    assert (block["entered"]["effect"], block["left"]["effect"]) == (None, None)


def test_forecast() -> None:
    """Expect each day to bring a 28th of 5, 2 and 1."""
    small = SmallWorld(rating_window_days=7, min_ratings=100)
    small.rate(at_noon(28), 3)
    small.rate(at_noon(27), 1)
    small.rate(at_noon(6), 5)
    small.rate(at_noon(0), 2)
    answer = small.reference.forecast("s", TODAY, 9)
    assert answer["dates"][0] == "2026-11-22"
    assert answer["silent"]["description"] == [2.0] * 6 + [None] * 3
    steady = answer["steady"]["description"]
    assert steady[0] == rounded(Fraction(64, 31), 5)
    assert steady[5] == rounded((2 + Fraction(48, 28)) / (1 + Fraction(18, 28)), 5)
    assert steady[6:] == [2.66667] * 3
    assert answer["steady"]["service"] == [None] * 9


def test_forecast_knows_nothing_that_came_later() -> None:
    small = SmallWorld()
    small.rate(at_noon(9), 5)
    small.rate(at_noon(1), 1)
    answer = small.reference.forecast("s", days_ago(5), 5)
    assert answer["silent"]["description"] == [5.0] * 5


def test_worked_plans() -> None:
    lifted = plan(_tally(0, 0, 10, 10, 80), Fraction("4.8"), 5, _TAOBAO)
    assert lifted["needed"] == 50
    assert lifted["at"] == {"count": 150, "sum": 720, "score": 4.8}
    assert lifted["tolerance"] == {"1": 0, "2": 0, "3": 0, "4": 0}
    steady = plan(_tally(0, 0, 30, 70, 900), Fraction("4.8"), 5, _TAOBAO)
    assert steady["needed"] == 0
    assert steady["tolerance"] == {"1": 18, "2": 25, "3": 38, "4": 87}


@pytest.mark.parametrize(
    ("histogram", "target", "stars", "status", "needed"),
    [
        ((0, 0, 0, 0, 10), "4", 4, "ok", 40),
        ((0, 0, 0, 0, 10), "4.5", 4, "impossible", None),
        ((0, 0, 0, 0, 50), "4.5", 4, "ok", 0),
        ((0, 0, 0, 0, 0), "5", 5, "ok", 50),
        ((0, 0, 0, 1, 99), "5", 5, "impossible", None),
        ((0, 0, 0, 0, 10), "3.99999", 4, "ok", 40),
        ((60, 0, 0, 0, 0), "3.99999", 4, "ok", 17_999_940),
    ],
)
def test_plans(
    histogram: Sequence[int], target: str, stars: int, status: str, needed: int | None
) -> None:
    rules = rules_from("pinduoduo", 1, BUILT_IN["pinduoduo"])
    goal = plan(_tally(*histogram), Fraction(target), stars, rules)
    assert (goal["status"], goal["needed"]) == (status, needed)
    assert (goal["at"] is None) == (needed is None)


def test_no_tolerance_for_ratings_that_do_not_hurt() -> None:
    goal = plan(_tally(0, 0, 0, 0, 10), Fraction(3), 5, _TAOBAO)
    assert goal["tolerance"] == {"1": 10, "2": 20, "3": None, "4": None}


def test_a_plan_counts_what_is_known_now_and_still_there_then() -> None:
    small = SmallWorld(rating_window_days=10)
    small.rate(at_noon(9), 1)
    small.rate(at_noon(4), 4)
    small.rate(at_noon(1), 1)
    goal = small.reference.plan(
        "s", days_ago(2), dimension="description", target="4.5", by=days_ago(-1), stars=5
    )
    assert goal["needed"] == 1
    assert goal["at"] == {"count": 2, "sum": 9, "score": 4.5}


def test_a_trend_is_the_scores_of_its_days() -> None:
    small = SmallWorld(rating_window_days=2, min_ratings=2, sales_window_days=2)
    small.rate_all(at_noon(2), (4, 5))
    small.rate(at_noon(0), 5)
    small.pay(at_noon(1), "2.5")
    answer = small.reference.trend("s", days_ago(3), TODAY)
    assert answer["dates"] == ["2026-11-18", "2026-11-19", "2026-11-20", "2026-11-21"]
    assert answer["description"] == {"score": [None, 4.5, 4.5, None], "count": [0, 2, 2, 1]}
    assert answer["sales"] == ["0.00", "0.00", "2.50", "2.50"]


def test_a_replay_uses_the_other_set_and_leaves_out_peers() -> None:
    small = SmallWorld()
    small.rate_all(at_noon(1), [5] * 49)
    small.rate(at_noon(100), 1)
    answer = small.reference.dsr("s", TODAY, "pinduoduo")
    assert answer["rules"] == {"name": "pinduoduo", "version": 1}
    assert answer["dsr"]["description"]["status"] == "insufficient"
    assert answer["dsr"]["description"]["count"] == 49
    assert answer["dsr"]["description"]["peers"] is None
    assert small.description()["status"] == "ok"


def test_equal_rules_make_no_new_version() -> None:
    small = SmallWorld()
    fields = BUILT_IN["taobao"]
    assert small.reference.put_rules("own", dict(fields))["version"] == 1
    assert small.reference.put_rules("own", {**fields, "slow_days": 9})["version"] == 2
    assert small.reference.scorecard("s")["rules"] == {"name": "own", "version": 2}
