"""What becomes of each event: stored, duplicate, or refused with the first code that applies."""

from functools import partial
from typing import Any

import pytest

from tests.api.conftest import KeyHolder
from tests.api.samples import (
    BATCH,
    DATA,
    JSON,
    NDJSON,
    NOON,
    Client,
    Json,
    event,
    lines,
    open_shop,
    pointers,
    problem,
    received,
    refusals,
    review,
    send,
    store,
)

UNREADABLE = "2026-11-20T12:00:00"
TOO_OLD = "1999-12-31T23:59:59Z"


def codes(answer: Any) -> list[str]:
    return [code for _, _, code in refusals(answer)]


async def test_each_code_wins_over_those_after_it(shop: Client) -> None:
    await store(shop, event("order.refunded"))
    bad_data = {"refund_id": 5}
    bad_amount = {"amount": "0.123"}
    refund = "order.refunded"
    events: list[tuple[object, str]] = [
        ([event(subject="nobody")], "malformed"),
        (event("unheard.of", subject="nobody", time=UNREADABLE), "invalid"),
        (event("unheard.of", subject="nobody", time=TOO_OLD, data=bad_data), "unknown_type"),
        (event(refund, subject="nobody", time=TOO_OLD, data=bad_data), "invalid"),
        (event(refund, subject="nobody", time=TOO_OLD, data=bad_amount), "unknown_shop"),
        (event(refund, time=TOO_OLD, data=bad_amount), "invalid"),
        (event(refund, time=TOO_OLD, data={"amount": "9"}), "time_out_of_range"),
        (event(refund, data={"amount": "9"}), "conflict"),
    ]
    answer = await send(shop, [body for body, _ in events])
    assert codes(answer) == [code for _, code in events]
    for body, code in events:
        answer = await send(shop, lines([body]), NDJSON)
        assert codes(answer) == [code]
    answer = await send(shop, b'{"type": ' + b"9" * (512 * 1024) + b"}", NDJSON)
    assert codes(answer) == ["too_large"]


async def test_all_faults_that_only_the_shop_and_the_clock_show_are_told(shop: Client) -> None:
    wrong_line = {**LINES[0], "amount": "0.123"}
    order = {"currency": "EUR", "lines": [wrong_line, LINES[0], wrong_line], "total": "1" * 20}
    late = {"completed_at": "2999-01-01T00:00:00Z"}
    removal = {"review_id": "r", "time": TOO_OLD}
    taken_back = {"type": "review.removed", "identity": removal, "revision": 1}
    much = {"currency": "EUR", "lines": [{**LINES[0], "amount": "9000000000"}] * 2}
    amounts = ["/data/lines/0/amount", "/data/lines/2/amount", "/data/total"]
    events: list[tuple[Json, str, list[str]]] = [
        (event("order.paid", data=order), "invalid", ["/data/currency", *amounts]),
        (
            event("order.paid", time=TOO_OLD, data=much),
            "invalid",
            ["/time", "/data/lines", "/data/currency"],
        ),
        (
            event("order.paid", time=TOO_OLD, data=order),
            "invalid",
            ["/time", "/data/currency", *amounts],
        ),
        (
            event(time=TOO_OLD, data=late),
            "time_out_of_range",
            ["/time", "/data/completed_at"],
        ),
        (
            event("event.retracted", time=TOO_OLD, data=taken_back),
            "time_out_of_range",
            ["/time", "/data/identity/time"],
        ),
        (event("order.paid", subject="nobody", data=order), "unknown_shop", ["/subject"]),
        (
            event(subject="nobody", time=TOO_OLD, data=late),
            "unknown_shop",
            ["/subject", "/time", "/data/completed_at"],
        ),
    ]
    answer = await send(shop, [body for body, _, _ in events])
    for item, (_, code, places) in zip(answer.json()["rejected"], events, strict=True):
        assert item["code"] == code
        assert sorted(error["pointer"] for error in item["errors"]) == sorted(places)
        assert all(error["detail"].startswith("Expected ") for error in item["errors"])


async def test_an_order_of_many_faults_lists_a_hundred(shop: Client) -> None:
    order = {"lines": [{**LINES[0], "amount": "0.123"}] * 500}
    [item] = (await send(shop, [event("order.paid", data=order)])).json()["rejected"]
    pointers = [error["pointer"] for error in item["errors"]]
    assert pointers == [f"/data/lines/{line}/amount" for line in range(100)]


async def test_a_refusal_says_where_and_why(shop: Client) -> None:
    events: list[tuple[object, str]] = [
        ([], ""),
        (event(specversion="0.3"), "/specversion"),
        ({**event(), "id": None}, "/id"),
        ({name: value for name, value in event().items() if name != "time"}, "/time"),
        (event("unheard.of"), "/type"),
        (event(data={"scores": {"service": 6}}), "/data/scores/service"),
        (event(data={"scores": {}}), "/data/scores"),
        (event("order.paid", data={"lines": [LINES[0], {}]}), "/data/lines/1/listing_id"),
        (event(subject="nobody"), "/subject"),
        (event("order.refunded", data={"amount": "0.123"}), "/data/amount"),
        (event(time=TOO_OLD), "/time"),
        (event(data={"completed_at": TOO_OLD}), "/data/completed_at"),
    ]
    answer = await send(shop, [body for body, _ in events])
    result = [item["errors"][0]["pointer"] for item in answer.json()["rejected"]]
    assert result == [pointer for _, pointer in events]


async def test_an_id_that_cannot_be_read_is_null(shop: Client) -> None:
    ids: list[object] = [5, None, [], {}, "", "x" * 257, "a\x7f"]
    answer = await send(shop, [{**event(), "id": item} for item in ids])
    assert [text for _, text, _ in refusals(answer)] == [None] * 4 + ["", "x" * 257, "a\x7f"]
    without = {name: value for name, value in event().items() if name != "id"}
    assert refusals(await send(shop, without)) == [(0, None, "invalid")]


SAME: dict[str, list[tuple[Json, Json]]] = {
    "review.posted": [
        ({}, {"completed_at": "2026-11-18T01:00:00.000000Z"}),
        ({}, {"scores": {"logistics": 4, "service": None, "description": 5}}),
        ({"photos": ["a", {"b": 1}]}, {}),
    ],
    "review.removed": [({"colour": None}, {})],
    "review.restored": [({"colour": None}, {})],
    "order.paid": [
        (
            {},
            {
                "lines": [
                    {"amount": "19.90", "quantity": 2, "listing_id": "l-1", "gift": False},
                    {"listing_id": "l-2", "quantity": 1, "amount": "0.0"},
                ]
            },
        ),
        ({"coupon": "x"}, {}),
    ],
    "order.refunded": [({}, {"amount": "5.50"})],
    "listing.published": [({"price": "1"}, {})],
    "listing.edited": [({"title": "new"}, {})],
    "listing.withdrawn": [({"title": "new"}, {})],
    "stock.counted": [({"where": "shelf"}, {})],
}
"""By type: changes to envelope and data that do not change the content."""

LINES = DATA["order.paid"]["lines"]
LATER = "2026-11-20T12:00:00.000001+08:00"
OTHER: dict[str, list[tuple[Json, Json]]] = {
    "review.posted": [
        ({"time": LATER}, {}),
        ({}, {"order_id": "o-9"}),
        ({}, {"buyer_id": "b-9"}),
        ({}, {"listing_id": "l-9"}),
        ({}, {"listing_id": None}),
        ({}, {"scores": {"description": 5}}),
        ({}, {"scores": {"description": 5, "service": 4}}),
        ({}, {"scores": {"description": 4, "logistics": 4}}),
        ({}, {"completed_at": None}),
        ({}, {"completed_at": "2026-11-18T09:00:00.000001+08:00"}),
        ({}, {"comment": "很好 "}),
        ({}, {"comment": ""}),
        ({}, {"comment": None}),
    ],
    "review.removed": [({}, {"reason": "other"}), ({}, {"reason": None}), ({}, {"note": None})],
    "review.restored": [({}, {"reason": None}), ({}, {"note": ""})],
    "order.paid": [
        ({"time": LATER}, {}),
        ({}, {"buyer_id": "b-9"}),
        ({}, {"region": None}),
        ({}, {"lines": LINES[::-1]}),
        ({}, {"lines": LINES[:1]}),
        ({}, {"lines": [*LINES, LINES[1]]}),
        ({}, {"lines": [{**LINES[0], "quantity": 3}, LINES[1]]}),
        ({}, {"lines": [{**LINES[0], "amount": "19.91"}, LINES[1]]}),
        ({}, {"lines": [{**LINES[0], "listing_id": "l-9"}, LINES[1]]}),
    ],
    "order.refunded": [
        ({"time": LATER}, {}),
        ({}, {"order_id": "o-9"}),
        ({}, {"amount": "5.51"}),
    ],
    "listing.published": [({}, {"title": "bib"}), ({}, {"title": None})],
    "listing.edited": [],
    "listing.withdrawn": [],
    "stock.counted": [({}, {"on_hand": 8})],
}
"""By type: changes to the content of one identity."""

APART: dict[str, list[tuple[Json, Json]]] = {
    "review.posted": [({}, {"review_id": "R-1"}), ({"subject": "t"}, {})],
    "review.removed": [
        ({"time": LATER}, {}),
        ({"type": "review.restored"}, {}),
        ({}, {"review_id": "R-1"}),
    ],
    "review.restored": [({"time": LATER}, {}), ({"type": "review.removed"}, {})],
    "order.paid": [({}, {"order_id": "O-1"}), ({"subject": "t"}, {})],
    "order.refunded": [({}, {"refund_id": "F-1"}), ({"subject": "t"}, {})],
    "listing.published": [({"time": LATER}, {}), ({"type": "listing.edited"}, {})],
    "listing.edited": [({"time": LATER}, {}), ({"type": "listing.withdrawn"}, {})],
    "listing.withdrawn": [({"time": LATER}, {}), ({"type": "listing.published"}, {})],
    "stock.counted": [({"time": LATER}, {}), ({}, {"listing_id": "L-1"})],
}
"""By type: changes that make another fact."""


def _expected(type_: str, envelope: Json, data: Json) -> Json:
    place = f"{type_}-t" if "subject" in envelope else f"{type_}-s"
    sent_type = envelope.get("type", type_)
    return {**event(sent_type, data=data), **envelope, "subject": place}


async def test_identity_and_not_delivery_makes_a_duplicate(client: Client) -> None:
    for type_ in DATA:
        await open_shop(client, f"{type_}-s")
        await open_shop(client, f"{type_}-t")
        text = partial(_expected, type_)
        await store(client, text({}, {}))
        redelivered = text(
            {"id": "e-2", "source": "urn:else", "time": "2026-11-20T04:00:00.0Z"}, {}
        )
        retold = {**redelivered, "traceparent": "00-af", "datacontenttype": "application/json"}
        same = [redelivered, retold, dict(reversed(text({}, {}).items()))]
        same += [text(*changes) for changes in SAME[type_]]
        for item in same:
            assert (await send(client, item)).json() == received(0, duplicates=1), item
        for envelope, data in OTHER[type_]:
            answer = await send(client, text(envelope, data))
            assert codes(answer) == ["conflict"], (envelope, data)
            [refused] = answer.json()["rejected"]
            changed = [f"/{name}" for name in envelope] + [f"/data/{name}" for name in data]
            assert [error["pointer"] for error in refused["errors"]] == changed
        for changes in APART[type_]:
            assert (await send(client, text(*changes))).json() == received(1), changes
        assert (await send(client, same)).json() == received(0, duplicates=len(same))


async def test_an_absent_and_a_null_member_are_the_same(shop: Client) -> None:
    optional = ("listing_id", "completed_at", "comment", "reason", "note", "region", "title")
    for type_ in DATA:
        required = "listing_id" if type_.startswith(("listing", "stock")) else ""
        given = event(type_)
        bare = {
            name: value
            for name, value in given["data"].items()
            if name not in optional or name == required
        }
        nulls = {name: None for name in given["data"] if name in optional and name != required}
        await store(shop, {**given, "data": bare})
        answer = await send(shop, {**given, "data": {**nulls, **bare}})
        assert answer.json() == received(0, duplicates=1)


async def test_an_absent_completion_differs_from_the_time_given_as_one(shop: Client) -> None:
    await store(shop, event(data={"completed_at": None}))
    assert codes(await send(shop, event(data={"completed_at": NOON}))) == ["conflict"]


async def test_a_large_batch_is_read_in_parts_and_answered_as_one(shop: Client) -> None:
    events = [review(f"r-{number}") for number in range(450)]
    wrong = (0, 199, 200, 201, 449)
    for index in wrong:
        events[index]["id"] = "e\n1"
    answer = await send(shop, events)
    assert refusals(answer) == [(index, "e\n1", "invalid") for index in wrong]
    assert answer.json()["stored"] == 445
    assert (await send(shop, events)).json()["duplicates"] == 445


async def test_the_first_of_one_batch_stands(shop: Client) -> None:
    first, second = event(), event(id="e-2", data={"comment": "no"})
    answer = await send(shop, [first, second, first, second])
    assert answer.status_code == 207
    assert answer.json()["stored"] == answer.json()["duplicates"] == 1
    assert refusals(answer) == [(1, "e-2", "conflict"), (3, "e-2", "conflict")]


async def test_money_is_compared_in_the_shops_currency(client: Client) -> None:
    for currency, stored, again, beyond in (
        ("JPY", "1000000000000", "1000000000000", "1000000000001"),
        ("CNY", "10000000000", "10000000000.00", "10000000000.01"),
        ("KWD", "1000000000.000", "1000000000", "1000000000.001"),
        ("JPY", "7", "7.00", "7.01"),
        ("CNY", "7.5", "7.500", "7.501"),
        ("KWD", "0.125", "0.1250", "0.1251"),
    ):
        shop_id = f"{currency}-{len(stored)}"
        await open_shop(client, shop_id, currency=currency)
        text = [
            event("order.refunded", subject=shop_id, data={"amount": amount})
            for amount in (stored, again, beyond)
        ]
        answer = await send(client, text)
        assert (answer.json()["stored"], answer.json()["duplicates"]) == (1, 1), currency
        assert codes(answer) == ["invalid"]


async def test_time_reaches_from_2000_to_ten_minutes_past_the_clock(shop: Client) -> None:
    for at, code in (
        ("1999-12-31T23:59:59.999999Z", "time_out_of_range"),
        ("2000-01-01T00:00:00Z", None),
        ("2000-01-01T07:59:59.999999+08:00", "time_out_of_range"),
        ("1999-12-31T12:00:00.5-12:00", None),
        ("2026-11-21T12:10:00Z", None),
        ("2026-11-21T20:10:00.000001+08:00", "time_out_of_range"),
    ):
        for text in (
            event(data={"review_id": f"a{at[-9:]}"}, time=at),
            event(data={"review_id": f"b{at[-9:]}", "completed_at": at}),
        ):
            answer = await send(shop, text)
            assert codes(answer) == ([code] if code else []), at


async def test_completion_may_come_after_the_rating(shop: Client) -> None:
    await store(shop, event(data={"completed_at": "2026-11-20T12:00:01+08:00"}))
    card = (await shop.get("/v1/shops/s/scorecard")).json()
    assert card["dsr"]["description"]["count"] == 1


async def test_an_event_of_one_of_many_shops_is_stored_with_its_shop(client: Client) -> None:
    for shop_id in ("a", "b"):
        await open_shop(client, shop_id)
    await store(client, review("r", 5, subject="a"), review("r", 1, subject="b"))
    scores = {
        shop_id: (await client.get(f"/v1/shops/{shop_id}/dsr")).json()["dsr"]["service"]["score"]
        for shop_id in ("a", "b")
    }
    assert scores == {"a": 5.0, "b": 1.0}


async def test_what_a_key_does_not_reach_is_an_unknown_shop(
    shop: Client, holder: KeyHolder
) -> None:
    await open_shop(shop, "t")
    stranger = await holder(tenant="other")
    assert codes(await send(stranger, event())) == ["unknown_shop"]
    narrow = await holder(shop_ids=["t", "elsewhere"], scopes=("events:write",))
    answer = await send(narrow, [event(), event(subject="t"), event(subject="elsewhere")])
    assert refusals(answer) == [(0, "e-1", "unknown_shop"), (2, "e-1", "unknown_shop")]
    assert answer.json()["stored"] == 1
    await open_shop(stranger)
    assert (await send(stranger, event(data={"comment": "theirs"}))).json() == received(1)
    assert (await send(shop, event())).json() == received(1)


STRICT = {"prefer": "handling=strict"}


async def test_strict_batches_are_stored_whole_or_not_at_all(shop: Client) -> None:
    good = [review("a"), review("b")]
    bad = event(id="bad", subject="nobody")
    answer = await send(shop, [good[0], bad, good[1]], BATCH, **STRICT)
    assert problem(answer, 422) == "all_refused"
    assert answer.headers["preference-applied"] == "handling=strict"
    assert refusals(answer) == [(1, "bad", "unknown_shop")]
    body = answer.json()
    counts = ("received", "stored", "duplicates", "rejected_count")
    assert [body[name] for name in counts] == [3, 0, 0, 3]
    answer = await send(shop, good, BATCH, **STRICT)
    assert answer.json() == received(2)
    assert answer.headers["preference-applied"] == "handling=strict"
    twin = review("a", 1)
    answer = await send(shop, [good[0], review("c"), twin], JSON, **STRICT)
    assert refusals(answer) == [(2, "e-a", "conflict")]
    assert (await send(shop, [*good, review("c")], JSON, **STRICT)).json() == received(1, 2)


async def test_strict_refuses_a_conflict_within_the_batch(shop: Client) -> None:
    answer = await send(shop, [review("a", 5), review("a", 1)], **STRICT)
    assert refusals(answer) == [(1, "e-a", "conflict")]
    assert (await send(shop, review("a", 1))).json() == received(1)


async def test_strict_is_one_preference_among_others(shop: Client) -> None:
    for prefer in ("respond-async, handling=strict", 'handling="strict"; x=1', "Handling=Strict"):
        answer = await send(shop, [review("a"), {}], prefer=prefer)
        assert answer.status_code == 422
        assert answer.json()["stored"] == 0
    for prefer in ("handling=lenient", "return=minimal", "xhandling=strict", ""):
        answer = await send(shop, [review(f"r{len(prefer)}"), {}], prefer=prefer)
        assert answer.status_code == 207
        assert "preference-applied" not in answer.headers


async def test_a_stream_cannot_be_strict(shop: Client) -> None:
    answer = await send(shop, lines([event()]), NDJSON, **STRICT)
    assert problem(answer, 400) == "bad_request"
    assert (await send(shop, event())).json() == received(1)


async def test_all_or_some_or_none_refused_is_422_207_200(shop: Client) -> None:
    good, bad = review("a"), event(id="bad", time=TOO_OLD)
    for media_type in (JSON, BATCH, NDJSON):
        for text, status in (([bad], 422), ([good, bad], 207), ([good], 200)):
            body = lines(text) if media_type == NDJSON else text
            assert (await send(shop, body, media_type)).status_code == status
    answer = await send(shop, bad)
    assert problem(answer, 422) == "all_refused"
    assert refusals(answer) == [(0, "bad", "time_out_of_range")]


@pytest.mark.parametrize(
    "loose",
    [
        "2026-11-20 12:00:00+08:00",
        "2026-11-20t12:00:00+08:00",
        "2026-11-20T12:00:00z",
        "2026-11-20T12:00:00+0800",
    ],
)
async def test_an_instant_is_written_as_rfc_3339_has_it(shop: Client, loose: str) -> None:
    identity = {"listing_id": "l-1", "time": loose}
    retraction = {"type": "listing.edited", "revision": 1, "identity": identity}
    cases = [
        (event(time=loose), "/time"),
        (event(data={"completed_at": loose}), "/data/completed_at"),
        (event("event.retracted", data=retraction), "/data/identity/time"),
    ]
    for sent, pointer in cases:
        for body, media_type in (([sent], JSON), (sent, JSON), (lines([sent]), NDJSON)):
            answer = await send(shop, body, media_type)
            assert [code for *_, code in refusals(answer)] == ["invalid"]
            [error] = answer.json()["rejected"][0]["errors"]
            assert error["pointer"] == pointer
    made = await shop.post("/v1/keys", json={"scopes": ["admin"], "expires_at": loose})
    assert pointers(made) == ["/expires_at"]
