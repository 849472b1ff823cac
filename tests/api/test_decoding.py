"""Decoding events: what the types of the events say, whichever way it is found."""

import json
from collections.abc import Iterator

import msgspec
import pytest

from api.decoding import Unreadable, decode_all, decode_one
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


def test_the_first_thing_wrong_is_told() -> None:
    wrong = event(id="e\n1", data={"review_id": "r\n1", "order_id": 1})
    result = decode_one(json.dumps(wrong).encode())
    assert isinstance(result, Unreadable)
    assert (result.id, result.code) == ("e\n1", "invalid")
    assert [error.pointer for error in result.errors] == ["/id"]
