"""Decoding events: what the types of the events say, whichever way it is found."""

import json
from collections.abc import Iterator

import msgspec
import pytest

from api.decoding import Unreadable, decode_all, decode_one
from domain.errors import ERRORS_MAX
from domain.facts import Event
from tests.api.samples import DATA, Json, event

CHARACTERS = [*map(chr, range(256)), "\u2028", "\ud7ff", "😀", "a b", "a\n", "\na", " a", "é́"]


def texts(type_: str, text: str) -> Iterator[Json]:
    """Yield good events but for a text at either end of one of theirs."""
    for name in ("id", "source", "subject"):
        yield {**event(type_), name: f"{text}x"}
        yield {**event(type_), name: f"x{text}"}
    for name, value in DATA[type_].items():
        if isinstance(value, str):
            yield event(type_, data={name: f"{text}x"})
            yield event(type_, data={name: f"x{text}"})
    yield event(type_, data={"lines": [{"listing_id": text, "quantity": 1, "amount": "1"}]})


@pytest.mark.parametrize("type_", DATA)
def test_texts_are_taken_as_the_types_say(type_: str) -> None:
    good = json.dumps(event(type_))
    for text in CHARACTERS:
        for item in texts(type_, text):
            raw = json.dumps(item)
            try:
                expected = msgspec.json.decode(raw, type=Event)
            except msgspec.ValidationError:
                assert isinstance(decode_one(raw.encode()), Unreadable), raw
                assert decode_all(f"[{good},{raw}]".encode()) is None, raw
            else:
                result = decode_all(f"[{good},{raw}]".encode())
                assert result is not None
                for taken in (decode_one(raw.encode()), result[1]):
                    assert isinstance(taken, type(expected))
                    assert msgspec.to_builtins(taken) == msgspec.to_builtins(expected)


def test_lengths_hold_for_ids() -> None:
    for name, longest in (("id", 256), ("source", 256), ("subject", 64)):
        assert decode_all(json.dumps([{**event(), name: "x" * longest}]).encode())
        for text in ("", "x" * (longest + 1)):
            assert decode_all(json.dumps([{**event(), name: text}]).encode()) is None
    assert decode_all(json.dumps([event(data={"buyer_id": "王" * 128})]).encode())
    for text in ("", "x" * 129):
        assert decode_all(json.dumps([event(data={"buyer_id": text})]).encode()) is None
        assert decode_all(json.dumps([event(data={"listing_id": text})]).encode()) is None


def refusal(raw: str) -> Unreadable:
    result = decode_one(raw.encode())
    assert isinstance(result, Unreadable)
    return result


def details(wrong: Json) -> dict[str, str]:
    """Return the details of an event's faults by pointer."""
    result = refusal(json.dumps(wrong))
    assert result.code == "invalid"
    assert len({error.pointer for error in result.errors}) == len(result.errors)
    return {error.pointer: error.detail for error in result.errors}


LINES = [
    {"listing_id": "l", "quantity": 0, "amount": "1"},
    {"listing_id": "l", "quantity": 1.0, "amount": "01", "a/b~": None},
    5,
    {},
]


def test_everything_wrong_is_told_in_plain_words() -> None:
    scores = {"service": 6, "sevice": 1, "logistics": "5"}
    wrong = event(source=5, data={"review_id": "", "completed_at": "x", "scores": scores})
    del wrong["id"]
    assert details(wrong) == {
        "/source": "Expected text of 1 to 256 characters without control characters",
        "/data/review_id": "Expected text of 1 to 128 characters without control characters",
        "/id": "`id` is missing",
        "/data/completed_at": "Expected an instant with its offset, "
        "as in 2026-11-20T21:03:11+08:00",
        "/data/scores/service": "Expected a whole number from 1 to 5",
        "/data/scores/logistics": "Expected a whole number from 1 to 5",
        "/data/scores/sevice": "Expected no such member; there are description, logistics, service",
    }
    assert details(event("order.paid", data={"lines": LINES, "region": 5})) == {
        "/data/region": "Expected text of 0 to 64 characters "
        "without control characters but tab and line breaks",
        "/data/lines/0/quantity": "Expected a whole number from 1 to 1000000",
        "/data/lines/1/quantity": "Expected a whole number from 1 to 1000000",
        "/data/lines/1/amount": "Expected a decimal number of 0 or more as text, such as 12.50",
        "/data/lines/1/a~1b~0": "Expected no such member; "
        "there are amount, gift, listing_id, quantity, variant_id",
        "/data/lines/2": "Expected an object",
        "/data/lines/3/listing_id": "`listing_id` is missing",
        "/data/lines/3/quantity": "`quantity` is missing",
        "/data/lines/3/amount": "`amount` is missing",
    }
    for text in ("[]", '"x"', "null"):
        detail = details(event("order.paid", data={"lines": json.loads(text)}))["/data/lines"]
        assert detail == "Expected an array of 1 to 500 items"
    removed = details(event("review.removed", specversion="0.3", data={"reason": "spam"}))
    assert removed == {
        "/specversion": "Expected 1.0",
        "/data/reason": "Expected one of malicious, violating_trade, force_majeure, other",
    }
    assert details(event(data={"scores": {"service": None}})) == {
        "/data/scores": "Expected at least one of `description`, `service`, `logistics`"
    }
    assert details({**event(), "data": 5}) == {"/data": "Expected an object"}
    assert list(details({})) == [f"/{name}" for name in event() if name not in ("type", "data")] + [
        "/type",
        "/data",
    ]


def test_faults_of_a_retraction_are_told_by_the_type_that_it_names() -> None:
    assert list(details(event("event.retracted"))) == ["/data/type"]
    assert details(event("event.retracted", data={"type": "order.paid", "identity": {"x": 1}})) == {
        "/data/revision": "`revision` is missing",
        "/data/identity/order_id": "`order_id` is missing",
        "/data/identity/x": "Expected no such member; there are order_id",
    }


def test_no_fault_shows_a_pattern_or_a_name_of_a_type() -> None:
    values: list[object] = [None, True, 5, 1.5, "", "\0", [], {}, "x" * 20_000]
    for type_ in [*DATA, "event.retracted"]:
        given = event(type_)
        for name in [*given, *(f"data/{name}" for name in given["data"])]:
            holder, _, member = name.rpartition("/")
            for value in values:
                wrong = event(type_)
                (wrong[holder] if holder else wrong)[member] = value
                result = decode_one(json.dumps(wrong).encode())
                for error in result.errors if isinstance(result, Unreadable) else ():
                    assert not set("^$\\[]()") & set(error.detail), error
                    assert "another value" not in error.detail, error
                    for word in ("int", "str", "object`", "array`", "null`", "Struct"):
                        assert word not in error.detail.split(), error


def test_faults_that_are_listed_are_bounded() -> None:
    lines: list[Json] = [{}] * 200
    assert len(refusal(json.dumps(event("order.paid", data={"lines": lines}))).errors) == ERRORS_MAX


def test_a_value_that_cannot_be_read_refuses_its_event_alone() -> None:
    good = json.dumps(event())
    for value, code in (("1e999", "invalid"), ("9" * 5_000, "invalid"), ("[" * 5_000, "malformed")):
        raw = good.replace('"r-1"', value + "]" * value.count("["))
        assert refusal(raw).code == code
