"""Hostile values: whatever is sent, the answer is never a 5xx and nothing else is harmed."""

import json
from collections.abc import Iterator
from urllib.parse import quote

from tests.api.samples import (
    BATCH,
    DATA,
    JSON,
    NDJSON,
    PROBLEM,
    SHOP,
    SINGLE,
    Client,
    event,
    received,
    review,
    send,
)

DEEP = 100_000
RAW_VALUES = {
    "nul": b'"a\\u0000b"',
    "lone high surrogate": b'"\\ud800"',
    "lone low surrogate": b'"x\\udc00"',
    "reversed pair": b'"\\udc00\\ud800"',
    "bad utf-8": b'"\xff\xfe"',
    "overlong utf-8": b'"\xc0\xaf"',
    "surrogate in utf-8": b'"\xed\xa0\x80"',
    "raw control": b'"\x01"',
    "64 bits": b"18446744073709551615",
    "65 bits": b"18446744073709551616",
    "minus 64 bits": b"-9223372036854775809",
    "a million digits": b"9" * 1_000_000,
    "a huge exponent": b"1e999999",
    "a small exponent": b"1e-999999",
    "minus zero": b"-0",
    "a float": b"5.0",
    "nan": b"NaN",
    "infinity": b"-Infinity",
    "year 1": b'"0001-01-01T00:00:00+23:59"',
    "year 9999": b'"9999-12-31T23:59:59.999999-23:59"',
    "year 0": b'"0000-01-01T00:00:00Z"',
    "year 10000": b'"10000-01-01T00:00:00Z"',
    "a leap second": b'"2016-12-31T23:59:60Z"',
    "many fraction digits": b'"2026-11-20T00:00:00.' + b"9" * 5_000 + b'Z"',
    "arrays": b"[" * DEEP + b"]" * DEEP,
    "objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "unclosed": b"[" * DEEP,
    "a long text": b'"' + b"x" * 100_000 + b'"',
    "emoji": '"🙂"'.encode(),
    "many members": json.dumps({str(n): n for n in range(100_000)}).encode(),
    "null": b"null",
    "true": b"true",
}


def places(type_: str) -> Iterator[bytes]:
    """A good event with a hole at every member, its members in order and reversed."""
    good = event(type_)
    paths: list[tuple[str, ...]] = [(name,) for name in good] + [
        ("data", name) for name in good["data"]
    ]
    paths += [("data", "scores", "service"), ("extra",), ("data", "extra")]
    paths += [("data", "lines", name) for name in ("listing_id", "quantity", "amount")]
    for path in paths:
        holed = event(type_)
        holder = holed
        for step in path[:-1]:
            holder = holder.get(step, {})
            holder = holder[0] if isinstance(holder, list) else holder
        holder[path[-1]] = "@@"
        for told in (holed, dict(reversed(holed.items()))):
            text = json.dumps(told).encode()
            if b'"@@"' in text:
                yield text


async def test_no_value_anywhere_in_an_event_makes_a_5xx(shop: Client) -> None:
    for name, value in RAW_VALUES.items():
        bodies = [
            text.replace(b'"@@"', value)
            for type_ in (DATA if len(value) < 10_000 else ["review.posted"])
            for text in places(type_)
        ]
        answer = await send(shop, b"\n".join(bodies), NDJSON)
        assert answer.status_code < 500, (name, answer.text)
        assert answer.json()["received"] == len(bodies)
        for body in bodies[::7]:
            for media_type, packed in ((JSON, body), (BATCH, b"[" + body + b"]")):
                answer = await send(shop, packed, media_type)
                assert answer.status_code < 500, (name, body[:500], answer.text)
    assert (await send(shop, review("after"))).json() == received(1)


async def test_no_body_makes_a_5xx(client: Client) -> None:
    for method, path in (
        ("POST", "/v1/events"),
        ("PUT", "/v1/shops/s"),
        ("POST", "/v1/shops"),
        ("PUT", "/v1/ladders/a/b"),
        ("PUT", "/v1/rules/own"),
        ("POST", "/v1/keys"),
        ("POST", "/v1/peer-snapshots"),
    ):
        for value in RAW_VALUES.values():
            for media_type in (JSON, SINGLE, BATCH) if path == "/v1/events" else (JSON,):
                headers = {"content-type": media_type}
                for content in (value, b"[" + value + b"]", b'{"as_of": ' + value + b"}"):
                    answer = await client.request(method, path, content=content, headers=headers)
                    assert answer.status_code < 500, (path, value[:40], answer.text)


async def test_no_member_of_a_shop_a_ladder_or_a_key_makes_a_5xx(client: Client) -> None:
    shop = {**SHOP, "time_zone": "UTC", "kind": "flagship", "opened_on": None, "rules": "taobao"}
    ladder = {"currency": "CNY", "amounts": ["1", "2", "3", "4", "5", "6"]}
    key = {"scopes": ["admin"], "shop_ids": ["s"], "expires_at": None}
    rules = (await client.get("/v1/rules/taobao")).json()
    for name in ("name", "version", "built_in"):
        del rules[name]
    for method, path, good in (
        ("PUT", "/v1/shops/s", shop),
        ("PUT", "/v1/ladders/a/b", ladder),
        ("PUT", "/v1/rules/own", rules),
        ("POST", "/v1/keys", key),
        ("POST", "/v1/peer-snapshots", {"as_of": None}),
    ):
        for name, value in RAW_VALUES.items():
            for member in (*good, "extra"):
                for hole in ("@@", ["@@"]):
                    text = json.dumps({**good, member: hole}).encode()
                    content = text.replace(b'"@@"', value)
                    answer = await client.request(
                        method, path, content=content, headers={"content-type": JSON}
                    )
                    assert answer.status_code < 500, (path, member, name, answer.text)


PATH_SEGMENTS = (
    "%00",
    "a%00b",
    "%2F",
    "a%2Fb",
    "..",
    ".",
    "%2E%2E",
    "%2e",
    "..%2F..%2Fetc",
    "a" * 65,
    "a" * 10_000,
    "%FF",
    "%ED%A0%80",
    "%C3%A9",
    "%",
    "%zz",
    "%25",
    "a%20b",
    "a;b",
    "a:b",
    "*",
    "%0A",
    "%0D%0Ax: y",
    "'",
    '"',
    "{shop_id}",
    "%F0%9F%99%82",
    "18446744073709551616",
    "-1",
    "null",
    "~",
)


async def test_no_path_makes_a_5xx(shop: Client) -> None:
    # What a path like %2F leads to is not the operation that it looks like.
    shop.event_hooks = {}
    for segment in PATH_SEGMENTS:
        for method, path in (
            ("GET", f"/{segment}"),
            ("GET", f"/v1/{segment}"),
            ("GET", f"/v1/shops/{segment}"),
            ("PUT", f"/v1/shops/{segment}"),
            ("GET", f"/v1/shops/{segment}/scorecard"),
            ("GET", f"/v1/shops/{segment}/dsr/forecast"),
            ("GET", f"/v1/shops/s/{segment}"),
            ("GET", f"/v1/ladders/{segment}/{segment}"),
            ("PUT", f"/v1/ladders/taobao/{segment}"),
            ("DELETE", f"/v1/ladders/{segment}/x"),
            ("DELETE", f"/v1/keys/{segment}"),
            ("GET", f"/v1/rules/{segment}"),
            ("PUT", f"/v1/rules/{segment}"),
            ("GET", f"/problems/{segment}"),
        ):
            answer = await shop.request(method, path, json=SHOP if method == "PUT" else None)
            assert answer.status_code < 500, (method, path)
            if answer.status_code >= 400:
                assert answer.headers["content-type"] == PROBLEM


async def test_no_query_makes_a_5xx(shop: Client) -> None:
    values = [
        quote(value[:2_000].decode("utf-8", "surrogateescape"), errors="surrogateescape")
        for value in RAW_VALUES.values()
    ]
    values += ["%00", "%FF", "", "-1", "9" * 30, "2026-11-20%00", "1e5", "%2B5", "%D9%A5"]
    for path, names in (
        ("/v1/shops", ("limit", "cursor", "marketplace", "category")),
        ("/v1/scorecards", ("shop_id", "as_of")),
        ("/v1/shops/s/scorecard", ("as_of",)),
        ("/v1/shops/s/dsr", ("as_of", "rules")),
        ("/v1/shops/s/sell-through", ("as_of", "window_days")),
        ("/v1/shops/s/listings", ("as_of", "view", "cursor", "limit")),
        ("/v1/shops/s/reviews", ("state", "start", "end", "cursor", "limit")),
        ("/v1/shops/s/trend", ("start", "end")),
        ("/v1/shops/s/dsr/change", ("start", "end")),
        ("/v1/shops/s/dsr/forecast", ("as_of", "days")),
        ("/v1/shops/s/dsr/plan", ("as_of", "dimension", "target", "by", "stars")),
        ("/v1/peer-snapshots", ("limit", "cursor")),
    ):
        good = {
            "start": "2026-11-01",
            "end": "2026-11-20",
            "dimension": "service",
            "target": "4.5",
            "by": "2026-11-30",
            "stars": "5",
            "shop_id": "s",
        }
        for name in names:
            others = {other: good[other] for other in names if other != name and other in good}
            query = "".join(f"&{other}={value}" for other, value in others.items())
            for value in values:
                answer = await shop.get(f"{path}?{name}={value}{query}")
                assert answer.status_code < 500, (path, name, value[:60], answer.text)


async def test_no_header_makes_a_5xx(shop: Client) -> None:
    # Framing that a server in front refuses is not part of any operation.
    shop.event_hooks = {}
    values = [b"\xff\xfe", b"a" * 20_000, b"", b",", b'"', b"W/", b";;;=", b"%00", b"\x7f", b"*/*"]
    for name in (
        b"content-type",
        b"content-encoding",
        b"if-none-match",
        b"prefer",
        b"x-request-id",
        b"authorization",
        b"accept",
        b"content-length",
        b"ce-id",
        b"cookie",
        b"host",
    ):
        for value in values:
            headers = [(b"content-type", JSON.encode()), (name, value)]
            for method, path in (("POST", "/v1/events"), ("GET", "/v1/shops/s/dsr")):
                answer = await shop.request(method, path, headers=headers, content=b"{}")
                assert answer.status_code < 500, (name, value[:20], answer.text)
