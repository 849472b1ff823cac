"""How events may be packed, and how much fits in."""

import json
import zlib

import pytest

from tests.api.samples import (
    BATCH,
    JSON,
    NDJSON,
    SINGLE,
    Client,
    event,
    lines,
    parameters,
    problem,
    received,
    refusals,
    review,
    send,
    zipped,
)

KIB = 1024
SINGLE_MAX = 512 * KIB
BATCH_MAX = 8 * 1024 * KIB
GZIP = {"content_encoding": "gzip"}


def padded(length: int) -> bytes:
    """Return a good event of so many bytes."""
    bare = len(json.dumps(event(padding="")).encode())
    return json.dumps(event(padding="x" * (length - bare))).encode()


async def test_an_event_is_taken_in_every_packing(shop: Client) -> None:
    packings: list[tuple[str, object]] = [
        (SINGLE, review("a")),
        (JSON, review("b")),
        (JSON, [review("c")]),
        (BATCH, [review("d")]),
        (NDJSON, review("e")),
        ("Application/CloudEvents+JSON", review("f")),
        (f"{SINGLE}; charset=utf-8", review("g")),
        (f"{BATCH};charset=UTF-8", [review("h")]),
        (f'{JSON} ; charset="utf-8"; profile=x', review("i")),
        (f"{NDJSON}; charset=utf-8", review("j")),
    ]
    for media_type, body in packings:
        answer = await send(shop, body, media_type)
        assert answer.status_code == 200, media_type
        assert answer.json() == received(1)


async def test_another_media_type_is_told_which_are_taken(shop: Client) -> None:
    charsets = [f"{JSON}; charset={name}" for name in ("gbk", "utf-16", "latin-1", "")]
    for media_type in ("", "text/plain", "application/xml", "x", "*/*", f"x{JSON}", *charsets):
        answer = await send(shop, [event()], media_type)
        assert problem(answer, 415) == "unsupported_media_type"
        for accepted in (SINGLE, BATCH, JSON, NDJSON):
            assert accepted in answer.headers["accept-post"]


async def test_a_body_without_content_type_is_refused(shop: Client) -> None:
    answer = await shop.post("/v1/events", content=b"[]")
    assert problem(answer, 415) == "unsupported_media_type"


async def test_another_encoding_than_gzip_is_refused(shop: Client) -> None:
    for encoding in ("br", "deflate", "gzip, gzip", "identity, br", "zstd"):
        for media_type in (JSON, NDJSON):
            answer = await send(shop, [event()], media_type, content_encoding=encoding)
            assert problem(answer, 415) == "unsupported_media_type"


async def test_gzip_is_inflated(shop: Client) -> None:
    for name, media_type in (("a", JSON), ("b", BATCH), ("c", SINGLE), ("d", NDJSON)):
        text = [review(name)] if media_type in {JSON, BATCH} else review(name)
        body = zipped(json.dumps(text).encode())
        for encoding in ("gzip", "GZip"):
            answer = await send(shop, body, media_type, content_encoding=encoding)
            assert answer.status_code == 200


async def test_gzip_of_two_members_is_one_body(shop: Client) -> None:
    body = zipped(lines([review("a")])) + zipped(b"") + zipped(lines([review("b")]))
    assert (await send(shop, body, NDJSON, **GZIP)).json() == received(2)


async def test_broken_gzip_is_told(shop: Client) -> None:
    for body in (
        b"[]",
        zipped(b"[]")[:-9],
        zipped(b"[]")[:-1],
        zipped(b"[]") + b"more",
        zipped(b"[]") + zipped(b"[]")[:-3],
        zipped(b"[]")[:-8] + b"\0" * 8,
        zlib.compress(b"[]"),
        b"\x1f\x8b",
        b"\x1f",
    ):
        for media_type in (JSON, NDJSON):
            answer = await send(shop, body, media_type, **GZIP)
            assert problem(answer, 400) == "bad_request", body


async def test_an_empty_body_is_told(shop: Client) -> None:
    for media_type in (JSON, BATCH, SINGLE, NDJSON):
        assert problem(await send(shop, b"", media_type), 400) == "bad_request"
        assert problem(await send(shop, zipped(b""), media_type, **GZIP), 400) == "bad_request"
    for media_type in (JSON, BATCH):
        blank = await send(shop, b" " * BATCH_MAX, media_type)
        assert problem(blank, 400) == "bad_request"
        assert blank.json()["detail"] == "The body is empty"


async def test_a_body_that_is_not_json_is_told(shop: Client) -> None:
    for body in (
        b" ",
        b"{",
        b"[",
        b"[{]",
        b'{"a":1}{"b":2}',
        b"[] []",
        b"NaN",
        b"{'a': 1}",
        b"\xef\xbb\xbf[]",
        b'["\xff"]',
        b'[{"id": "\xff"}]',
        json.dumps([event(extra="!")]).encode().replace(b"!", b"\xff"),
        json.dumps([event()]).encode("utf-16"),
        b"[1,]",
    ):
        assert problem(await send(shop, body, JSON), 400) == "bad_request", body
        assert problem(await send(shop, body, BATCH), 400) == "bad_request", body
        single = body.strip(b"[]") or b"{"
        assert problem(await send(shop, single, SINGLE), 400) == "bad_request", body


async def test_single_and_batch_are_not_mixed_up(shop: Client) -> None:
    assert problem(await send(shop, [event()], SINGLE), 400) == "bad_request"
    assert (await send(shop, event(), BATCH)).json() == received(1)
    again = await send(shop, b" \r\n\t" + json.dumps([event()]).encode())
    assert again.json() == received(0, 1)


async def test_an_empty_array_is_nothing_received(shop: Client) -> None:
    for media_type in (JSON, BATCH):
        answer = await send(shop, [], media_type)
        assert answer.status_code == 200
        assert answer.json() == received(0)


async def test_a_body_that_is_no_object_is_a_malformed_event(shop: Client) -> None:
    for value in (5, "text", True, None, 1.5):
        answer = await send(shop, value, JSON)
        assert answer.status_code == 422
        assert refusals(answer) == [(0, None, "malformed")]


async def test_a_batch_holds_five_thousand_events_and_no_more(shop: Client) -> None:
    events = [event("listing.edited", data={"listing_id": str(n)}) for n in range(5_001)]
    assert problem(await send(shop, events, BATCH), 413) == "content_too_large"
    bad = [{**item, "subject": None} for item in events]
    assert problem(await send(shop, bad, BATCH), 413) == "content_too_large"
    assert (await send(shop, events[:5_000], BATCH)).json() == received(5_000)


async def test_a_batch_holds_eight_mebibytes_inflated_and_no_more(shop: Client) -> None:
    padding = b" " * (BATCH_MAX - len(json.dumps([event()])))
    full = json.dumps([event()]).encode() + padding
    for body, headers in ((full, {}), (zipped(full), GZIP)):
        assert (await send(shop, body, BATCH, **headers)).status_code == 200
    for body, headers in ((full + b" ", {}), (zipped(full + b" "), GZIP)):
        answer = await send(shop, body, BATCH, **headers)
        assert problem(answer, 413) == "content_too_large"


async def test_a_single_event_holds_512_kib_inflated_and_no_more(shop: Client) -> None:
    longer = padded(SINGLE_MAX + 1)
    for media_type in (SINGLE, JSON):
        assert (await send(shop, padded(SINGLE_MAX), media_type)).status_code == 200
        for body, headers in ((longer, {}), (zipped(longer), GZIP)):
            answer = await send(shop, body, media_type, **headers)
            assert problem(answer, 413) == "content_too_large"


async def test_an_event_too_large_in_a_batch_refuses_only_itself(shop: Client) -> None:
    large = json.dumps(review("large")).encode()
    large = large[:-1] + b',"padding":"' + b"x" * (SINGLE_MAX - len(large) - 13) + b'"}'
    assert len(large) == SINGLE_MAX
    bodies = [json.dumps(review("a")).encode(), large + b" ", padded(SINGLE_MAX + 1)]
    answer = await send(shop, b"[" + b" , ".join(bodies) + b" ]", BATCH)
    assert answer.status_code == 207
    assert answer.json() == received(2) | {
        "received": 3,
        "rejected_count": 1,
        "rejected": [
            {
                "index": 2,
                "id": None,
                "code": "too_large",
                "errors": [
                    {"pointer": "", "detail": f"Expected at most {SINGLE_MAX} bytes in an event"}
                ],
            }
        ],
    }


async def test_blank_lines_are_not_counted(shop: Client) -> None:
    body = b"\n" + lines([review("a")]) + b"\r\n  \t\n\n[]\n\n" + lines([review("b")])[:-1]
    answer = await send(shop, body, NDJSON)
    assert answer.status_code == 207
    assert answer.json()["received"] == 3
    assert refusals(answer) == [(1, None, "malformed")]


async def test_lines_of_nothing_are_nothing_received(shop: Client) -> None:
    answer = await send(shop, b"\n \r\n", NDJSON)
    assert answer.status_code == 200
    assert answer.json() == received(0)


async def test_a_carriage_return_ends_a_line_too(shop: Client) -> None:
    body = lines([review("a"), review("b")]).replace(b"\n", b"\r\n")
    assert (await send(shop, body, NDJSON)).json() == received(2)


async def test_a_bad_line_refuses_only_itself(shop: Client) -> None:
    bad = [b"{", b"}", b'{"id":"x"', b"\xff\xfe", b'"', b"null", b'{"id": "\\ud800"}', b"1 2"]
    body = b""
    for number, line in enumerate(bad):
        body += lines([review(f"r{number}")]) + line + b"\n"
    answer = await send(shop, body, NDJSON)
    assert answer.json()["stored"] == len(bad)
    assert refusals(answer) == [(2 * n + 1, None, "malformed") for n in range(len(bad))]


async def test_a_line_over_512_kib_refuses_only_itself(shop: Client) -> None:
    longest, longer = padded(SINGLE_MAX), padded(SINGLE_MAX + 1)
    huge = b'{"id": "' + b"x" * (3 * SINGLE_MAX)
    body = b"\n".join([json.dumps(review("a")).encode(), longer, longest, huge, huge[:-1]])
    answer = await send(shop, body + b"\n" + lines([review("b")]), NDJSON)
    assert answer.json()["stored"] == 3
    assert refusals(answer) == [(n, None, "too_large") for n in (1, 3, 4)]
    assert answer.json()["received"] == 6
    alone = await send(shop, huge, NDJSON)
    assert refusals(alone) == [(0, None, "too_large")]


async def test_chunks_before_a_fault_stay_and_all_can_be_sent_again(shop: Client) -> None:
    events = [event("listing.edited", data={"listing_id": f"l-{n}"}) for n in range(3_000)]
    body = zipped(lines(events))
    cut = await send(shop, body[: len(body) * 3 // 4], NDJSON, **GZIP)
    assert problem(cut, 400) == "bad_request"
    answer = (await send(shop, body, NDJSON, **GZIP)).json()
    assert answer["stored"] + answer["duplicates"] == 3_000
    assert 0 < answer["duplicates"] < 3_000


async def test_more_than_a_thousand_refusals_are_counted_and_not_listed(shop: Client) -> None:
    bad = [event("listing.edited", id=f"e-{n}", time="never") for n in range(1_500)]
    for media_type, body in ((NDJSON, lines(bad)), (BATCH, json.dumps(bad).encode())):
        answer = await send(shop, body, media_type)
        assert refusals(answer) == [(n, f"e-{n}", "invalid") for n in range(1_000)]
        assert answer.json()["rejected_count"] == 1_500


def binary(**changes: str) -> dict[str, str]:
    """Return the headers of binary mode."""
    envelope = {name: value for name, value in event().items() if name != "data"}
    return {f"ce-{name}": str(value) for name, value in {**envelope, **changes}.items()}


async def test_headers_may_carry_the_envelope(shop: Client) -> None:
    data = event()["data"]
    answer = await send(shop, data, JSON, **binary())
    assert answer.status_code == 200
    assert answer.json() == received(1)
    assert (await send(shop, [event()])).json() == received(0, duplicates=1)
    text = binary(id="e%0Ax", traceparent="00-0af7651916cd43dd", data="x")
    answer = await send(shop, {**data, "review_id": "r-2"}, JSON, **text)
    assert refusals(answer) == [(0, "e\nx", "invalid")]
    text = binary(source="%2Ferp%2fx", type="review%2Eposted")
    answer = await send(shop, {**data, "review_id": "r-2"}, JSON, **text)
    assert answer.json() == received(1)


async def test_an_attribute_that_is_said_twice_is_neither_of_the_two(shop: Client) -> None:
    headers = [("content-type", JSON), *binary().items(), ("ce-subject", "other")]
    answer = await shop.post("/v1/events", json=event()["data"], headers=headers)
    assert [code for _, _, code in refusals(answer)] == ["invalid"]


async def test_bad_headers_refuse_the_event(shop: Client) -> None:
    for name, value, code in (
        ("specversion", "0.3", "invalid"),
        ("id", "", "invalid"),
        ("subject", "nobody", "unknown_shop"),
        ("type", "order.shipped", "unknown_type"),
        ("time", "1999-01-01T00:00:00Z", "time_out_of_range"),
        ("source", "a%00b", "invalid"),
    ):
        answer = await send(shop, event()["data"], JSON, **binary(**{name: value}))
        assert [text for _, _, text in refusals(answer)] == [code]
        headers = binary()
        del headers[f"ce-{name}"]
        answer = await send(shop, event()["data"], JSON, **headers)
        assert [text for _, _, text in refusals(answer)] == ["invalid"]


async def test_data_in_binary_mode_are_json_objects(shop: Client) -> None:
    assert problem(await send(shop, b"{", JSON, **binary()), 400) == "bad_request"
    assert problem(await send(shop, b"", JSON, **binary()), 400) == "bad_request"
    assert refusals(await send(shop, [], JSON, **binary())) == [(0, "e-1", "invalid")]
    assert refusals(await send(shop, b"5", JSON, **binary())) == [(0, "e-1", "invalid")]
    wrong = await send(shop, event()["data"], JSON, **binary(id="%FF"))
    assert parameters(wrong) == ["ce-id"]


async def test_numbers_of_any_size_are_ignored_outside_data_and_refused_in_it(shop: Client) -> None:
    numbers = ', "unknown": [1e400, ' + "9" * 5_000 + "]}"
    data = (json.dumps(event()["data"])[:-1] + numbers).encode()
    assert refusals(await send(shop, data, JSON, **binary())) == [(0, "e-1", "invalid")]
    whole = (json.dumps(event())[:-1] + numbers).encode()
    assert (await send(shop, whole)).json() == received(1)


@pytest.mark.parametrize(
    "bad",
    [
        b'"q\\ud800"',
        b'"\\udfff\\ud83d"',
        b"[" * 5_000 + b"]" * 5_000,
    ],
    ids=["high half", "halves in the wrong order", "deep"],
)
async def test_an_event_that_cannot_be_read_loses_no_other_of_its_batch(
    shop: Client, bad: bytes
) -> None:
    good = json.dumps(event()).encode()
    spoilt = good.replace(b'"r-1"', bad, 1)
    assert spoilt != good
    answer = await send(shop, b"[" + spoilt + b", " + good + b"]", BATCH)
    assert answer.status_code == 207, answer.text
    assert refusals(answer) == [(0, answer.json()["rejected"][0]["id"], "malformed")]
    assert answer.json()["stored"] == 1
