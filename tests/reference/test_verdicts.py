"""What the reference does with an event, and when two tell the same."""

import pytest

from tests.reference.rules import Json
from tests.reference.small import SmallWorld, at_noon

_COMPLETED = "2026-11-18T09:00:00+08:00"


def _review(**changes: object) -> Json:
    data: Json = {
        "review_id": "r",
        "order_id": "o",
        "buyer_id": "b",
        "scores": {"description": 5, "logistics": 4},
        "completed_at": _COMPLETED,
        "comment": "很好",
    }
    return {**data, **changes}


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "duplicate"),
        ({"completed_at": "2026-11-18T01:00:00.000000Z"}, "duplicate"),
        ({"listing_id": None}, "duplicate"),
        ({"colour": "red"}, "invalid"),
        ({"scores": {"description": 5, "looks": None}}, "invalid"),
        ({"scores": {"logistics": 4, "description": 5, "service": None}}, "duplicate"),
        ({"scores": {"description": 5, "service": 4}}, "conflict"),
        ({"completed_at": None}, "conflict"),
        ({"completed_at": "2026-11-18T09:00:00.000001+08:00"}, "conflict"),
        ({"comment": ""}, "conflict"),
        ({"comment": None}, "conflict"),
        ({"listing_id": "l"}, "conflict"),
        ({"buyer_id": "B"}, "conflict"),
        ({"review_id": "R"}, "stored"),
        ({"scores": {"description": 5.0, "logistics": 4}}, "invalid"),
        ({"scores": {}}, "invalid"),
    ],
)
def test_the_same_review_again(changes: Json, verdict: str) -> None:
    small = SmallWorld()
    small.tell("review.posted", at_noon(1), _review())
    again = small.event("review.posted", at_noon(1), _review(**changes))
    assert small.reference.receive(again) == verdict


def test_an_absent_completion_differs_from_one_equal_to_the_time() -> None:
    small = SmallWorld()
    small.tell("review.posted", at_noon(1), _review(completed_at=None))
    again = small.event("review.posted", at_noon(1), _review(completed_at=at_noon(1)))
    assert small.reference.receive(again) == "conflict"


def test_the_time_is_content_of_a_review_and_identity_of_a_removal() -> None:
    small = SmallWorld()
    small.tell("review.posted", at_noon(1), _review())
    again = small.event("review.posted", "2026-11-20T04:00:00.000001Z", _review())
    assert small.reference.receive(again) == "conflict"
    elsewhere = small.event("review.posted", "2026-11-20T04:00:00Z", _review())
    assert small.reference.receive(elsewhere) == "duplicate"
    small.act("removed", "r", at_noon(1), "other")
    small.act("removed", "r", at_noon(0), "other")
    small.act("restored", "r", at_noon(1), "other")
    twin = small.event("review.removed", at_noon(1), {"review_id": "r", "reason": "malicious"})
    assert small.reference.receive(twin) == "conflict"


def test_amounts_compare_as_money_and_lines_in_order() -> None:
    small = SmallWorld()
    lines: list[Json] = [
        {"listing_id": "l1", "quantity": 1, "amount": "1.5"},
        {"listing_id": "l2", "quantity": 2, "amount": "0"},
    ]
    order: Json = {"order_id": "o", "buyer_id": "b", "lines": lines}
    small.tell("order.paid", at_noon(1), order)
    same = [{**lines[0], "amount": "1.50"}, {**lines[1], "amount": "0.000", "gift": False}]
    for changed, verdict in ((same, "duplicate"), (lines[::-1], "conflict")):
        again = small.event("order.paid", at_noon(1), {**order, "lines": changed})
        assert small.reference.receive(again) == verdict


@pytest.mark.parametrize(
    ("currency", "amount", "verdict"),
    [
        ("CNY", "1.50", "stored"),
        ("CNY", "1.500", "stored"),
        ("CNY", "1.501", "invalid"),
        ("JPY", "1", "stored"),
        ("JPY", "1.0", "stored"),
        ("JPY", "1.5", "invalid"),
        ("KWD", "1.001", "stored"),
        ("KWD", "1.0010000", "stored"),
        ("KWD", "1.0001", "invalid"),
        ("CNY", "10000000000.00", "stored"),
        ("CNY", "10000000000.01", "invalid"),
        ("JPY", "1000000000000", "stored"),
        ("JPY", "1000000000001", "invalid"),
        ("KWD", "1000000000.001", "invalid"),
    ],
)
def test_amounts_fit_the_currency(currency: str, amount: str, verdict: str) -> None:
    small = SmallWorld(currency=currency)
    refund = {"refund_id": "f", "order_id": "o", "amount": amount}
    event = small.event("order.refunded", at_noon(1), refund)
    assert small.reference.receive(event) == verdict


@pytest.mark.parametrize(
    ("time", "verdict"),
    [
        ("2000-01-01T00:00:00Z", "stored"),
        ("2000-01-01T05:44:59.999999+05:45", "time_out_of_range"),
        ("2026-11-21T12:10:00Z", "stored"),
        ("2026-11-21T12:10:00.000001Z", "time_out_of_range"),
        ("2026-11-21T12:00:00", "invalid"),
        ("2026-02-29T12:00:00Z", "invalid"),
    ],
)
def test_times_fit_the_clock(time: str, verdict: str) -> None:
    small = SmallWorld()
    event = small.event("listing.edited", time, {"listing_id": "l"})
    assert small.reference.receive(event) == verdict
    review = small.event("review.posted", at_noon(1), _review(completed_at=time))
    assert small.reference.receive(review) == verdict


def test_the_answer_to_a_batch() -> None:
    small = SmallWorld()
    good = small.event("review.posted", at_noon(1), _review())
    twin = {**good, "id": "twin", "data": _review(comment="!")}
    nameless = {**good, "id": 5}
    mixed = small.reference.post([good, good, twin, nameless, []])
    assert mixed.status == 207
    assert mixed.verdicts == ("stored", "duplicate", "conflict", "invalid", "malformed")
    assert mixed.body == {
        "received": 5,
        "stored": 1,
        "duplicates": 1,
        "rejected_count": 3,
        "rejected": [
            {"index": 2, "id": "twin", "code": "conflict", "errors": []},
            {"index": 3, "id": None, "code": "invalid", "errors": []},
            {"index": 4, "id": None, "code": "malformed", "errors": []},
        ],
    }
    assert small.reference.post([good]).status == 200
    assert small.reference.post([]).status == 200
    assert small.reference.post([good, twin]).status == 207
    assert small.reference.post([twin]).status == 422
    many = small.reference.post([twin] * 1_001)
    assert (many.body["rejected_count"], len(many.body["rejected"])) == (1_001, 1_000)


def test_the_same_identity_in_two_shops_is_two_facts() -> None:
    small = SmallWorld()
    small.open_shop("t")
    small.tell("review.posted", at_noon(1), _review())
    small.tell("review.posted", at_noon(1), _review(comment="other"), "t")
