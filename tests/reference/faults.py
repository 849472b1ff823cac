"""Make bad events of every kind, each with the code of its refusal."""

import copy
import itertools
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.reference.arithmetic import currency_digits, instant_text, money
from tests.reference.rules import Json

Path = tuple[str | int, ...]

_MISSING = object()
_ANY = "*"
_TOO_LONG_ID = "i" * 129
_BAD_TIMES: tuple[Any, ...] = (
    "2024-11-20T21:03:11",
    "2024-11-20",
    "2024-11-20T21:03+08:00",
    "2024-02-30T00:00:00Z",
    "2023-02-29T00:00:00Z",
    "2024-11-20T24:00:00Z",
    "2024-11-20T12:60:00Z",
    "2024-13-01T00:00:00Z",
    "2024-11-20T12:00:00+25:00",
    "2024-11-20T12:00:00.Z",
    "yesterday",
    "",
    1_732_108_991,
    None,
    True,
    _MISSING,
)
_BAD_IDS: tuple[Any, ...] = (
    "",
    _TOO_LONG_ID,
    "\x85",
    "nul\x00",
    "tab\t",
    "del\x7f",
    7,
    None,
    True,
    [],
    {},
)
_BAD_INTEGERS: tuple[Any, ...] = (
    5.0,
    4.5,
    "5",
    True,
    False,
    [],
    {},
    2**31,
    2**63,
    2**64,
    10**30,
    -1,
    -(2**70),
)
_BAD_TEXTS: tuple[Any, ...] = (
    "nul \x00",
    "escape \x1b[31m",
    "bell \x07",
    "del \x7f",
    "form\x0cfeed",
    5,
    [],
    {},
)
_BAD_AMOUNTS: tuple[Any, ...] = (
    "-1",
    "+1",
    "01",
    "00.5",
    ".5",
    "5.",
    "1e3",
    "1,5",
    " 1",
    "1\n",
    "\uff11",
    "NaN",
    "Infinity",
    "",
    5,
    5.5,
    None,
    True,
    _MISSING,
)
_OUT_OF_RANGE = (
    "1999-12-31T23:59:59.999999Z",
    "2000-01-01T00:00:00+00:01",
    "1970-01-01T00:00:00Z",
    "0001-01-01T00:00:00+23:59",
    "2999-01-01T00:00:00Z",
    "9999-12-31T23:59:59-23:59",
)


@dataclass(frozen=True)
class Fault:
    """Changes to a good event of a type, and the code they earn."""

    type: str
    changes: tuple[tuple[Path, Any], ...]
    code: str


def _each(type_: str, path: Path, values: Iterable[Any], code: str = "invalid") -> list[Fault]:
    return [Fault(type_, ((path, value),), code) for value in values]


def _faults() -> Iterator[Fault]:
    yield from _envelope_faults()
    yield from _data_faults()
    yield from _precedence_faults()


def _envelope_faults() -> Iterator[Fault]:
    yield from _each(_ANY, ("specversion",), ("0.3", "1", 1.0, "", None, _MISSING))
    for name in ("id", "source"):
        yield from _each(
            _ANY, (name,), ("", "i" * 257, "nul\x00", "del\x7f", 5, None, [], _MISSING)
        )
    yield from _each(_ANY, ("type",), (5, None, [], {}, True, _MISSING))
    yield from _each(
        _ANY, ("subject",), ("", ".", "..", "a/b", "s" * 65, "a b", "é", 5, None, _MISSING)
    )
    yield from _each(_ANY, ("time",), _BAD_TIMES)
    yield from _each(_ANY, ("data",), (_MISSING, None, "text", 5, [], [{}]))
    yield from _each(_ANY, ("type",), ("order.shipped", "Review.Posted"), "unknown_type")
    yield from _each(_ANY, ("data", "sevice"), (None, 5), "invalid")
    yield from _each("review.posted", ("data", "scores", "looks"), (None, 5), "invalid")
    yield from _each(_ANY, ("subject",), ("no-such-shop", "SH-1"), "unknown_shop")
    yield from _each(_ANY, ("time",), _OUT_OF_RANGE, "time_out_of_range")


def _data_faults() -> Iterator[Fault]:
    for type_, names in {
        "review.posted": ("review_id",),
        "review.removed": ("review_id",),
        "order.paid": ("order_id",),
        "order.refunded": ("refund_id", "order_id"),
        "listing.published": ("listing_id",),
        "listing.edited": ("listing_id",),
        "stock.counted": ("listing_id",),
    }.items():
        for name in names:
            yield from _each(type_, ("data", name), (*_BAD_IDS, _MISSING))
    for name in ("order_id", "buyer_id", "listing_id"):
        yield from _each("review.posted", ("data", name), ("", _TOO_LONG_ID, "a\x00", 7, []))
    yield from _each(
        "review.posted",
        ("data", "scores"),
        ({}, None, [], 5, "5", {"looks": 5}, {"service": None}, _MISSING),
    )
    yield from _each("review.posted", ("data", "scores", "service"), (*_BAD_INTEGERS, 0, 6))
    bad_completions = [time for time in _BAD_TIMES if time is not None and time is not _MISSING]
    yield from _each("review.posted", ("data", "completed_at"), bad_completions)
    yield from _each("review.posted", ("data", "comment"), (*_BAD_TEXTS, "c" * 10_001))
    yield from _each("review.removed", ("data", "note"), (*_BAD_TEXTS, "n" * 2_001))
    yield from _each("review.removed", ("data", "reason"), ("spite", "", "Other", 5, [], {}))
    yield from _each("order.paid", ("data", "region"), (*_BAD_TEXTS, "r" * 65))
    yield from _each("listing.published", ("data", "title"), (*_BAD_TEXTS, "t" * 501))
    line = {"listing_id": "l-1", "quantity": 1, "amount": "1"}
    yield from _each(
        "order.paid",
        ("data", "lines"),
        ([], None, {}, "[]", [None], [[]], [line, 5], [line] * 501, _MISSING),
    )
    yield from _each(
        "order.paid",
        ("data", "lines", 0, "quantity"),
        (*_BAD_INTEGERS, 0, 1_000_001, None, _MISSING),
    )
    yield from _each("order.paid", ("data", "lines", 0, "listing_id"), (*_BAD_IDS, _MISSING))
    yield from _each("order.paid", ("data", "lines", 0, "amount"), _BAD_AMOUNTS)
    for name in ("variant_id", "gift"):
        yield from _each("order.paid", ("data", "lines", 0, name), ("", 5, [], {}))
    bad_totals = [amount for amount in _BAD_AMOUNTS if amount is not None]
    bad_totals.remove(_MISSING)
    yield from _each("order.paid", ("data", "total"), bad_totals)
    for type_ in ("order.paid", "order.refunded"):
        yield from _each(type_, ("data", "currency"), ("XXX", "cny", "", 5, []))
    for type_ in ("review.posted", "review.removed", "order.paid", "order.refunded"):
        bad_revisions = [number for number in _BAD_INTEGERS if number != 2**31]
        yield from _each(type_, ("data", "revision"), (*bad_revisions, 2**53))
    yield from _each("order.paid", ("data", "buyer_id"), ("", _TOO_LONG_ID, 7, []))
    yield from _each("order.refunded", ("data", "amount"), _BAD_AMOUNTS)
    on_hands = (*_BAD_INTEGERS, 1_000_000_001, -1_000_000_001, None, _MISSING)
    yield from _each("stock.counted", ("data", "location"), ("", _TOO_LONG_ID, 7, []))
    yield from _each(
        "stock.counted", ("data", "on_hand"), [count for count in on_hands if count not in (0, -1)]
    )
    yield from _each("review.posted", ("data", "completed_at"), _OUT_OF_RANGE, "time_out_of_range")


def _precedence_faults() -> Iterator[Fault]:
    """Yield events with two faults, and the code that comes first."""
    unknown_shop = (("subject",), "no-such-shop")
    unknown_type = (("type",), "order.shipped")
    too_old = (("time",), "1999-01-01T00:00:00Z")
    naive = (("time",), "2024-11-20T21:03:11")
    bad_data = (("data", "review_id"), 5)
    fine_fraction = (("data", "amount"), "0.12345")
    huge = (("data", "amount"), "9" * 5_000)
    for type_, changes, code in (
        (_ANY, (naive, unknown_type), "invalid"),
        (_ANY, (unknown_type, unknown_shop, too_old), "unknown_type"),
        ("review.posted", (bad_data, unknown_type), "unknown_type"),
        ("review.posted", (bad_data, unknown_shop), "invalid"),
        ("review.posted", (bad_data, too_old), "invalid"),
        ("review.posted", (unknown_shop, too_old), "unknown_shop"),
        ("order.refunded", (fine_fraction,), "invalid"),
        ("order.refunded", (huge,), "invalid"),
        ("order.refunded", (fine_fraction, unknown_shop), "unknown_shop"),
        ("order.refunded", (huge, unknown_shop), "unknown_shop"),
        ("order.refunded", (fine_fraction, too_old), "invalid"),
        ("order.refunded", (huge, too_old), "invalid"),
    ):
        yield Fault(type_, changes, code)


_NOT_OBJECTS: tuple[Any, ...] = (None, 5, 5.5, True, "text", "", [], [{}])


def faulty_events(
    rng: random.Random, good: Sequence[Json], shops: Sequence[Json]
) -> list[tuple[Any, str]]:
    """Make every kind of bad event once from good ones, with its code."""
    bad: list[tuple[Any, str]] = [(value, "malformed") for value in _NOT_OBJECTS]
    for fault in _faults():
        candidates = [event for event in good if fault.type in {_ANY, event["type"]}]
        if candidates:
            bad.append((_changed(rng.choice(candidates), fault), fault.code))
    return bad + _currency_faults(good, shops)


def _changed(event: Json, fault: Fault) -> Json:
    changed: Json = copy.deepcopy(event)
    for path, value in fault.changes:
        holder: Any = changed
        for step in path[:-1]:
            holder = holder[step]
        if value is _MISSING:
            holder.pop(path[-1], None)
        else:
            holder[path[-1]] = value
    return changed


def _currency_faults(good: Sequence[Json], shops: Sequence[Json]) -> list[tuple[Any, str]]:
    """Make amounts a digit or a minor unit too large, in every shop with refunds."""
    bad: list[tuple[Any, str]] = []
    for shop in shops:
        currency = shop["currency"]
        amounts = ("1." + "0" * currency_digits(currency) + "1", money(10**12 + 1, currency))
        refunds = [
            event
            for event in good
            if event["type"] == "order.refunded" and event["subject"] == shop["shop_id"]
        ]
        for refund, amount in itertools.product(refunds[:1], amounts):
            fault = Fault("order.refunded", ((("data", "amount"), amount),), "invalid")
            bad.append((_changed(refund, fault), fault.code))
    return bad


def clock_edge_events(good: Sequence[Json], now: datetime) -> list[tuple[Json, str]]:
    """Make events ten minutes past the clock, and a microsecond later."""
    latest = now + timedelta(minutes=10)
    review = next(event for event in good if event["type"] == "review.posted")
    made: list[tuple[Json, str]] = []
    for name, path in (("time", ("time",)), ("completion", ("data", "completed_at"))):
        for delay, code in ((0, "stored"), (1, "time_out_of_range")):
            at = instant_text(latest + timedelta(microseconds=delay))
            changes: tuple[tuple[Path, Any], ...] = (
                (path, at),
                (("data", "review_id"), f"edge-{name}"),
                (("id",), f"edge-{name}-{delay}"),
            )
            made.append((_changed(review, Fault("review.posted", changes, code)), code))
    return made
