"""From a decoded JSON value to a version of a fact, or the code it is refused with."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.reference.arithmetic import currency_digits, minor_units
from tests.reference.facts import (
    DIMENSIONS,
    Fact,
    Line,
    ListingEvent,
    Order,
    Refund,
    Review,
    ReviewAction,
    StockCount,
    Version,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST = 946_684_800_000_000
_CLOCK_SLACK = timedelta(minutes=10)
_MOST_MINOR_UNITS = 10**12

_SHOP_ID = re.compile(r"[A-Za-z0-9._~-]{1,64}")
_ID = re.compile(r"[^\x00-\x1f\x7f-\x9f]{1,128}")
_LONG_ID = re.compile(r"[^\x00-\x1f\x7f-\x9f]{1,256}")
_AMOUNT = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]+)?")
_INSTANT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:([Zz])|([+-])([0-9]{2}):([0-9]{2}))"
)
_REASONS = ("malicious", "violating_trade", "force_majeure", "other")

Check = Callable[[object], bool]


class RefusalError(Exception):
    """An event the service must not store; `code` says why."""

    def __init__(self, code: str) -> None:
        """Store the code of the contract."""
        super().__init__(code)
        self.code = code


def microseconds(text: object) -> int | None:
    """Return an RFC 3339 instant as microseconds since 1970, None for other text."""
    match = _INSTANT.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(match[group]) for group in range(1, 7))
    offset_hours, offset_minutes = int(match[10] or 0), int(match[11] or 0)
    if max(hour, offset_hours) > 23 or max(minute, second, offset_minutes) > 59:
        return None
    try:
        days = date(year, month, day).toordinal() - _EPOCH.toordinal()
    except ValueError:
        return None
    offset = (offset_hours * 60 + offset_minutes) * (-60 if match[9] == "-" else 60)
    seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset
    digits = (match[7] or "").ljust(7, "0")
    return seconds * 1_000_000 + int(digits[:6]) + (digits[6] >= "5")


def _matches(pattern: re.Pattern[str]) -> Check:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _integer(least: int, most: int) -> Check:
    return lambda value: type(value) is int and least <= value <= most


def _text(most: int) -> Check:
    def check(value: object) -> bool:
        return (
            isinstance(value, str)
            and len(value) <= most
            and not any(
                unicodedata.category(char) == "Cc" and char not in "\t\n\r" for char in value
            )
        )

    return check


def _optional(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _is_instant(value: object) -> bool:
    return microseconds(value) is not None


def _is_shop_id(value: object) -> bool:
    return _matches(_SHOP_ID)(value) and value not in {".", ".."}


def _are_scores(value: object) -> bool:
    if not isinstance(value, dict) or not value.keys() <= {*DIMENSIONS}:
        return False
    given = [value[name] for name in DIMENSIONS if value.get(name) is not None]
    return bool(given) and all(_integer(1, 5)(stars) for stars in given)


def _are_lines(value: object) -> bool:
    return isinstance(value, list) and 1 <= len(value) <= 500 and all(map(_is_line, value))


def _is_line(value: object) -> bool:
    return isinstance(value, dict) and _fits_alone(value, _LINE)


def _fits(value: Mapping[str, Any], checks: Mapping[str, Check]) -> bool:
    return all(check(value.get(name)) for name, check in checks.items())


def _fits_alone(value: Mapping[str, Any], checks: Mapping[str, Check]) -> bool:
    return value.keys() <= checks.keys() and _fits(value, checks)


_is_id = _matches(_ID)
_is_amount = _matches(_AMOUNT)

_LINE: dict[str, Check] = {
    "listing_id": _is_id,
    "quantity": _integer(1, 1_000_000),
    "amount": _is_amount,
    "variant_id": _optional(_is_id),
    "gift": _optional(lambda value: isinstance(value, bool)),
}
_ENVELOPE: dict[str, Check] = {
    "specversion": lambda value: value == "1.0",
    "id": _matches(_LONG_ID),
    "source": _matches(_LONG_ID),
    "type": lambda value: isinstance(value, str),
    "subject": _is_shop_id,
    "time": _is_instant,
}
REVISION_MAX = 2**53 - 1
_REVISED: dict[str, Check] = {"revision": _optional(_integer(0, REVISION_MAX))}
_ACTION: dict[str, Check] = _REVISED | {
    "review_id": _is_id,
    "reason": _optional(lambda value: value in _REASONS),
    "note": _optional(_text(2_000)),
}
_DATA: dict[str, dict[str, Check]] = {
    "review.posted": _REVISED
    | {
        "review_id": _is_id,
        "order_id": _optional(_is_id),
        "buyer_id": _optional(_is_id),
        "listing_id": _optional(_is_id),
        "scores": _are_scores,
        "completed_at": _optional(_is_instant),
        "comment": _optional(_text(10_000)),
    },
    "review.removed": _ACTION,
    "review.restored": _ACTION,
    "order.paid": _REVISED
    | {
        "order_id": _is_id,
        "buyer_id": _optional(_is_id),
        "lines": _are_lines,
        "total": _optional(_is_amount),
        "currency": _optional(lambda value: isinstance(value, str)),
        "region": _optional(_text(64)),
    },
    "order.refunded": _REVISED
    | {
        "refund_id": _is_id,
        "order_id": _is_id,
        "amount": _is_amount,
        "currency": _optional(lambda value: isinstance(value, str)),
    },
    "listing.published": _REVISED | {"listing_id": _is_id, "title": _optional(_text(500))},
    "listing.edited": _REVISED | {"listing_id": _is_id},
    "listing.withdrawn": _REVISED | {"listing_id": _is_id},
    "stock.counted": _REVISED
    | {
        "listing_id": _is_id,
        "on_hand": _integer(-1_000_000_000, 1_000_000_000),
        "location": _optional(_is_id),
    },
}
_LISTING_MOMENT: dict[str, Check] = {"listing_id": _is_id, "time": _is_instant}
_ACTION_MOMENT: dict[str, Check] = {"review_id": _is_id, "time": _is_instant}
IDENTITIES: dict[str, dict[str, Check]] = {
    "review.posted": {"review_id": _is_id},
    "review.removed": _ACTION_MOMENT,
    "review.restored": _ACTION_MOMENT,
    "order.paid": {"order_id": _is_id},
    "order.refunded": {"refund_id": _is_id},
    "listing.published": _LISTING_MOMENT,
    "listing.edited": _LISTING_MOMENT,
    "listing.withdrawn": _LISTING_MOMENT,
    "stock.counted": {
        "listing_id": _is_id,
        "location": _optional(_is_id),
        "time": _is_instant,
    },
}


def _names_a_fact(value: Mapping[str, Any]) -> bool:
    checks = IDENTITIES.get(value["type"]) if isinstance(value.get("type"), str) else None
    identity = value.get("identity")
    return (
        checks is not None
        and isinstance(identity, dict)
        and _fits_alone(identity, checks)
        and value.keys() <= {"type", "identity", "revision"}
        and _integer(1, REVISION_MAX)(value.get("revision"))
    )


@dataclass(frozen=True)
class CheckedEvent:
    """An event of the right form, not yet compared with the shop and the clock."""

    type: str
    shop_id: str
    time: str
    data: Mapping[str, Any]


def check_form(event: object) -> CheckedEvent:
    """Check what needs neither the shop nor the time of day."""
    if not isinstance(event, dict):
        raise RefusalError("malformed")
    if "data" not in event or not _fits(event, _ENVELOPE):
        raise RefusalError("invalid")
    if event["type"] not in {*_DATA, "event.retracted"}:
        raise RefusalError("unknown_type")
    data = event["data"]
    fits = isinstance(data, dict) and (
        _names_a_fact(data)
        if event["type"] == "event.retracted"
        else _fits_alone(data, _DATA[event["type"]])
    )
    if not fits:
        raise RefusalError("invalid")
    return CheckedEvent(event["type"], event["subject"], event["time"], data)


def build_version(event: CheckedEvent, currency: str, now: datetime) -> Version:
    """Read the amounts in the shop's currency, then check the instants."""
    if event.type == "event.retracted":
        _instant(event.time, now)
        named = event.data["identity"]
        *ids, last = (named.get(name) for name in IDENTITIES[event.data["type"]])
        moment = _instant(last, now) if "time" in named else last
        return Version((event.data["type"], *ids, moment), event.data["revision"], None)
    fact = _build_fact(event, currency, now)
    return Version(fact.identity, event.data.get("revision") or 0, fact)


def _build_fact(event: CheckedEvent, currency: str, now: datetime) -> Fact:
    data = event.data
    amounts = _amounts(event, currency)
    time = _instant(event.time, now)
    match event.type:
        case "review.posted":
            return _review(data, time, now)
        case "review.removed" | "review.restored" as action:
            removes = action == "review.removed"
            return ReviewAction(
                time, data["review_id"], removes, data.get("reason"), data.get("note")
            )
        case "order.paid":
            lines = tuple(
                Line(
                    line["listing_id"],
                    line["quantity"],
                    amount,
                    line.get("variant_id"),
                    bool(line.get("gift")),
                )
                for line, amount in zip(data["lines"], amounts, strict=False)
            )
            return Order(
                time=time,
                order_id=data["order_id"],
                buyer_id=data.get("buyer_id"),
                lines=lines,
                region=data.get("region"),
                total=None if data.get("total") is None else amounts[-1],
            )
        case "order.refunded":
            return Refund(time, data["refund_id"], data["order_id"], amounts[0])
        case "stock.counted":
            return StockCount(time, data["listing_id"], data.get("location"), data["on_hand"])
        case _:
            title = data.get("title") if event.type == "listing.published" else None
            return ListingEvent(time, event.type, data["listing_id"], title)


def _review(data: Mapping[str, Any], time: datetime, now: datetime) -> Review:
    completed = data.get("completed_at")
    return Review(
        time=time,
        review_id=data["review_id"],
        order_id=data.get("order_id"),
        buyer_id=data.get("buyer_id"),
        listing_id=data.get("listing_id"),
        scores=tuple(data["scores"].get(name) for name in DIMENSIONS),
        completed_at=None if completed is None else _instant(completed, now),
        comment=data.get("comment"),
        revision=data.get("revision") or 0,
    )


def _amounts(event: CheckedEvent, currency: str) -> list[int]:
    if event.type.startswith("order.") and event.data.get("currency") not in {None, currency}:
        raise RefusalError("invalid")
    match event.type:
        case "order.paid":
            amounts = [_amount(line["amount"], currency) for line in event.data["lines"]]
            if sum(amounts) > _MOST_MINOR_UNITS:
                raise RefusalError("invalid")
            total = event.data.get("total")
            return amounts if total is None else [*amounts, _amount(total, currency)]
        case "order.refunded":
            return [_amount(event.data["amount"], currency)]
        case _:
            return []


def _amount(text: str, currency: str) -> int:
    minor = minor_units(text, currency_digits(currency))
    if minor is None or minor > _MOST_MINOR_UNITS:
        raise RefusalError("invalid")
    return minor


def _instant(text: str, now: datetime) -> datetime:
    since_epoch = microseconds(text)
    latest = (now + _CLOCK_SLACK - _EPOCH) // timedelta(microseconds=1)
    if since_epoch is None or not _EARLIEST <= since_epoch <= latest:
        raise RefusalError("time_out_of_range")
    return _EPOCH + timedelta(microseconds=since_epoch)
