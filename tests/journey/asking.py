"""Every question the reference can answer, put to a service and compared in every digit."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from tests.reference.facts import DIMENSIONS
from tests.reference.listings import VIEWS
from tests.reference.rules import Json
from tests.reference.scores import Reference

INTERVAL_TOLERANCE = 1.01e-5
_STATES = (None, "counted", "late", "capped", "removed")
_TARGETS = ("1", "1.00001", "3", "4.5", "4.8", "4.86012", "5")

Question = tuple[str, Json]
"""A path with its query, and the reference's answer; pages are to be followed."""


def compare(
    client: httpx.Client, reference: Reference, days: Sequence[date], rng: random.Random
) -> int:
    """Ask about every shop as of every day; return the number of responses compared."""
    reference.now = datetime.now(UTC)
    compared = 0
    for shop_id in reference.shop_ids:
        for day in days:
            for path, expected in questions(reference, shop_id, day, rng):
                must_equal(whole(client, path), expected, path)
                compared += 1
        for path, expected in timeless(reference, shop_id, days, rng):
            must_equal(whole(client, path), expected, path)
            compared += 1
    for day in days:
        cards_of_all(client, reference, day)
    return compared


def questions(
    reference: Reference, shop_id: str, day: date, rng: random.Random
) -> Iterator[Question]:
    """Yield what the service answers of a shop as of a day."""

    def path(what: str, **query: object) -> str:
        return _path(shop_id, what, as_of=day, **query)

    yield path("scorecard"), reference.scorecard(shop_id, day)
    yield path("dsr"), reference.dsr(shop_id, day)
    yield path("tier"), reference.tier(shop_id, day)
    yield path("sell-through"), reference.sell_through(shop_id, day)
    rules = rng.choice(("taobao", "pinduoduo", "strict", "open-1"))
    yield path("dsr", rules=rules), reference.dsr(shop_id, day, rules)
    window = rng.choice((1, 7, 29, 30, 31, 365, rng.randint(1, 365)))
    answer = reference.sell_through(shop_id, day, window)
    yield path("sell-through", window_days=window), answer
    for view in VIEWS:
        limit = rng.choice((1, 3, 50))
        yield path("listings", view=view, limit=limit), reference.listings(shop_id, day, view)
    ahead = rng.choice((1, 30, 179, 180))
    yield path("dsr/forecast", days=ahead), reference.forecast(shop_id, day, ahead)
    for dimension in DIMENSIONS:
        goal: Json = {
            "dimension": dimension,
            "target": rng.choice(_TARGETS),
            "by": day + timedelta(days=rng.choice((0, 1, 30, 90, 179, 180, 365))),
            "stars": rng.randint(1, 5),
        }
        yield path("dsr/plan", **goal), reference.plan(shop_id, day, **goal)


def timeless(
    reference: Reference, shop_id: str, days: Sequence[date], rng: random.Random
) -> Iterator[Question]:
    """Yield what the service answers of a shop over spans of days."""
    latest = max(days)
    for state in _STATES:
        query: Json = {"limit": rng.choice((1, 2, 7, 500))}
        if state is not None:
            query["state"] = state
        span: Json = {}
        if rng.random() < 0.5:
            span["start"] = latest - timedelta(days=rng.randint(101, 300))
        if rng.random() < 0.5:
            span["end"] = latest - timedelta(days=rng.randint(0, 100))
        answer = reference.reviews(shop_id, state, span.get("start"), span.get("end"))
        yield _path(shop_id, "reviews", **query, **span), answer
    end = rng.choice(list(days))
    start = end - timedelta(days=rng.choice((0, 1, 40)))
    yield _path(shop_id, "trend", start=start, end=end), reference.trend(shop_id, start, end)
    for length in (1, 7, rng.randint(2, 200)):
        start = end - timedelta(days=length)
        path = _path(shop_id, "dsr/change", start=start, end=end)
        yield path, reference.change(shop_id, start, end)


def cards_of_all(client: httpx.Client, reference: Reference, day: date) -> None:
    """Ask for the scorecards of all shops at once."""
    shop_ids = reference.shop_ids
    pairs = [("shop_id", shop_id) for shop_id in shop_ids]
    path = f"/v1/scorecards?{urlencode([*pairs, ('as_of', day)])}"
    items = [
        {"shop_id": shop_id, "scorecard": reference.scorecard(shop_id, day)} for shop_id in shop_ids
    ]
    must_equal(whole(client, path), {"items": items}, path)


def whole(client: httpx.Client, path: str) -> Any:
    """Return a response body, with the items of all its pages."""
    answer = client.get(path)
    assert answer.status_code == 200, f"{path}: {answer.text}"
    body = answer.json()
    while body.get("next_cursor"):
        page = client.get(f"{path}&cursor={body['next_cursor']}")
        assert page.status_code == 200, f"{path}: {page.text}"
        more = page.json()
        assert more["items"], path
        body = {**more, "items": [*body["items"], *more["items"]]}
    return body


def must_equal(actual: object, expected: object, where: str) -> None:
    """Compare member by member and digit by digit; only intervals may differ in the fifth."""
    if isinstance(expected, dict):
        assert isinstance(actual, dict), where
        assert actual.keys() == expected.keys(), where
        for name, value in expected.items():
            if name == "interval" and value is not None:
                for bound in ("low", "high"):
                    difference = abs(actual[name][bound] - value[bound])
                    assert difference <= INTERVAL_TOLERANCE, f"{where} {name}.{bound}"
            else:
                must_equal(actual[name], value, f"{where} {name}")
    elif isinstance(expected, list):
        assert isinstance(actual, list), where
        assert len(actual) == len(expected), f"{where}: {actual} != {expected}"
        for index, (item, expected_item) in enumerate(zip(actual, expected, strict=True)):
            must_equal(item, expected_item, f"{where} [{index}]")
    else:
        assert type(actual) in {type(expected), int, float}, f"{where}: {actual!r} != {expected!r}"
        assert actual == expected, f"{where}: {actual!r} != {expected!r}"


def _path(shop_id: str, what: str, **query: object) -> str:
    return f"/v1/shops/{quote(shop_id)}/{what}?{urlencode(query)}"
