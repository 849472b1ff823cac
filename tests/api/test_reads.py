"""Reads: the day of an answer, what changes an answer, and conditional requests."""

from datetime import UTC, datetime, timedelta

from tests.api.conftest import KeyHolder
from tests.api.samples import (
    SHOP,
    Client,
    Json,
    event,
    open_shop,
    parameters,
    pointers,
    problem,
    review,
    send,
    store,
)
from tests.conftest import Clock
from tests.harness.postgres import execute

ONE_DAY = (
    "scorecard",
    "dsr",
    "tier",
    "sell-through",
    "listings",
    "dsr/forecast",
    "dsr/plan?dimension=service&target=4&by=2026-11-22&stars=5",
)
SPANS = ("trend", "dsr/change")
ALL = (
    *ONE_DAY,
    *(f"{path}?start=2026-11-01&end=2026-11-20" for path in SPANS),
    "reviews",
)


def asking(path: str, **query: object) -> str:
    pairs = "&".join(f"{name}={value}" for name, value in query.items())
    return f"/v1/shops/s/{path}{'&' if '?' in path else '?'}{pairs}"


async def test_every_read_names_shop_day_zone_and_rules(shop: Client) -> None:
    for path in ALL:
        body = (await shop.get(f"/v1/shops/s/{path}")).json()
        assert body["shop_id"] == "s", path
        assert body["as_of"] == "2026-11-21"
        assert body["time_zone"] == "Asia/Shanghai"
        assert body["rules"] == {"name": "taobao", "version": 1}


async def test_a_shop_that_lost_its_totals_reads_as_before(shop: Client, database_url: str) -> None:
    await store(shop, event(), event("order.paid", id="e-2"), event("listing.published", id="e-3"))
    shop_paths = [*ALL, *(f"{path}?as_of=2026-11-20" for path in ONE_DAY if "?" not in path)]
    shop_paths += [f"{path}?start=2026-11-01&end=2026-11-21" for path in SPANS]
    shop_paths += ["dsr?rules=pinduoduo", "sell-through?window_days=7"]
    paths = ["/v1/scorecards?shop_id=s", *(f"/v1/shops/s/{path}" for path in shop_paths)]
    before = [(await shop.get(path)).json() for path in paths]
    for path, answer in zip(paths, before, strict=True):
        await execute(database_url, "delete from shop_totals")
        assert (await shop.get(path)).json() == answer
    assert (await shop.get("/v1/shops/none/scorecard")).status_code == 404


async def test_today_is_the_shops_own(client: Client, clock: Clock) -> None:
    clock.now = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)
    for zone, today in (
        ("Pacific/Kiritimati", "2026-11-22"),
        ("Asia/Kathmandu", "2026-11-21"),
        ("Pacific/Pago_Pago", "2026-11-20"),
    ):
        await open_shop(client, "s", time_zone=zone)
        assert (await client.get("/v1/shops/s/scorecard")).json()["as_of"] == today
        answer = await client.get(f"/v1/shops/s/scorecard?as_of={today}")
        assert answer.status_code == 200
        tomorrow = datetime.fromisoformat(today).date() + timedelta(days=1)
        assert parameters(await client.get(f"/v1/shops/s/dsr?as_of={tomorrow}")) == ["as_of"]


async def test_a_query_that_is_not_utf8_is_refused(shop: Client) -> None:
    for query in ("as_of=%FF", "%FF=1", "as_of=%ED%A0%80"):
        answer = await shop.get(f"/v1/shops/s/dsr?{query}")
        assert problem(answer, 400) == "bad_parameter"


async def test_an_answer_in_hand_is_not_sent_again(shop: Client) -> None:
    await store(shop, event(), event("order.paid"))
    paths = [f"/v1/shops/s/{path}" for path in ALL]
    paths += ["/v1/scorecards?shop_id=s", "/v1/scorecards?shop_id=s&shop_id=nosuch"]
    for path in paths:
        answer = await shop.get(path)
        tag = answer.headers["etag"]
        assert tag.startswith('W/"')
        assert answer.headers["cache-control"] == "private, no-cache"
        strong = tag.removeprefix("W/")
        for given in (tag, strong, f'"other", {tag}', f'{strong},W/"x"', "*", f"  {tag}  "):
            again = await shop.get(path, headers={"if-none-match": given})
            assert (again.status_code, again.content) == (304, b""), (path, given)
            assert again.headers["etag"] == tag
            assert again.headers["cache-control"] == "private, no-cache"
        for given in ('"other"', "", tag.strip('W/"')):
            again = await shop.get(path, headers={"if-none-match": given})
            assert again.status_code == 200, (path, given)
            assert again.headers["etag"] == tag
        head = await shop.head(path, headers={"if-none-match": tag})
        assert (head.status_code, head.content) == (304, b"")
        several = [("if-none-match", '"other"'), ("if-none-match", tag)]
        assert (await shop.get(path, headers=several)).status_code == 304


async def test_whatever_changes_an_answer_changes_its_tag(shop: Client, clock: Clock) -> None:
    async def tags() -> list[str]:
        return [(await shop.get(f"/v1/shops/s/{path}")).headers["etag"] for path in ALL]

    before = await tags()

    async def changed(*names: str) -> None:
        after = await tags()
        pairs = zip(ALL, before, after, strict=True)
        moved = {path.partition("?")[0] for path, old, new in pairs if old != new}
        assert moved >= set(names), names
        before[:] = after

    await store(shop, review("a", time="2026-11-15T00:00:00Z"))
    await changed("scorecard", "dsr", "reviews", "trend", "dsr/change", "dsr/forecast", "dsr/plan")
    await store(shop, event("order.paid"))
    await changed("scorecard", "tier", "trend")
    await store(shop, event("listing.published"))
    await changed("scorecard", "sell-through", "listings")
    await store(shop, event("stock.counted"))
    await changed("listings")
    ladder = {"currency": "CNY", "amounts": ["1", "2", "3", "4", "5", "6"]}
    await shop.put("/v1/ladders/taobao/baby", json=ladder)
    await changed("scorecard", "tier")
    await shop.put("/v1/shops/s", json={**SHOP, "rules": "pinduoduo"})
    await changed(*(path.partition("?")[0] for path in ALL))
    clock.now += timedelta(hours=4)
    await changed("scorecard", "dsr", "tier", "sell-through", "listings", "dsr/forecast")


async def test_a_refused_or_repeated_event_changes_no_tag(shop: Client) -> None:
    await store(shop, event())
    tag = (await shop.get("/v1/shops/s/dsr")).headers["etag"]
    await send(shop, event(id="again"))
    await send(shop, event(data={"comment": "other"}))
    assert (await shop.get("/v1/shops/s/dsr")).headers["etag"] == tag


async def test_what_happens_past_midnight_counts_from_that_day_on(
    shop: Client, clock: Clock
) -> None:
    clock.now = datetime(2026, 11, 21, 15, 55, tzinfo=UTC)
    ahead = event(time="2026-11-22T00:00:00+08:00", data={"completed_at": None})
    await store(shop, ahead, event("listing.published", time="2026-11-22T00:00:00+08:00"))
    today = (await shop.get("/v1/shops/s/scorecard")).json()
    assert today["dsr"]["description"]["count"] == 0
    assert today["sell_through"]["on_sale"] == 0
    clock.now += timedelta(minutes=5)
    tomorrow = (await shop.get("/v1/shops/s/scorecard")).json()
    assert tomorrow["dsr"]["description"]["count"] == 1
    assert tomorrow["sell_through"]["on_sale"] == 1


async def test_scorecards_come_in_the_order_asked(client: Client, holder: KeyHolder) -> None:
    for shop_id in ("a", "b", "c"):
        await open_shop(client, shop_id)
        await store(client, review("r", 3, subject=shop_id))
    wanted = ["c", "nosuch", "a", "a b", ".", "x" * 64, "%00"]
    query = "&".join(f"shop_id={entry}" for entry in wanted)
    answer = await client.get(f"/v1/scorecards?{query}&as_of=2026-11-20")
    items = answer.json()["items"]
    assert [item["shop_id"] for item in items] == [*wanted[:-1], "\0"]
    for item in items:
        if item["shop_id"] in {"a", "c"}:
            path = f"/v1/shops/{item['shop_id']}/scorecard?as_of=2026-11-20"
            assert item["scorecard"] == (await client.get(path)).json()
        else:
            assert (item["problem"]["code"], item["problem"]["status"]) == ("not_found", 404)
    stranger = await holder(tenant="other")
    [item] = (await stranger.get("/v1/scorecards?shop_id=a")).json()["items"]
    assert item["problem"]["code"] == "not_found"


async def test_a_list_that_is_read_in_parts_is_answered_as_one(client: Client) -> None:
    names = [f"s-{number}" for number in range(150)]
    shops = [{**SHOP, "shop_id": name} for name in names]
    assert (await client.post("/v1/shops", json=shops)).json()["created"] == len(names)
    wanted = [*names[::-2], "nosuch", *names[::2]]
    query = "&".join(f"shop_id={name}" for name in wanted)
    items = (await client.get(f"/v1/scorecards?{query}")).json()["items"]
    assert [item["shop_id"] for item in items] == wanted
    assert [item["shop_id"] for item in items if "problem" in item] == ["nosuch"]
    for item in items:
        if "scorecard" in item:
            assert item["scorecard"]["shop_id"] == item["shop_id"]


async def test_scorecards_take_one_to_two_hundred_different_shops(shop: Client) -> None:
    async def ask(ids: list[str]) -> int:
        query = "&".join(f"shop_id={entry}" for entry in ids)
        answer = await shop.get(f"/v1/scorecards?{query}")
        if answer.status_code == 200:
            assert len(answer.json()["items"]) == len(ids)
        else:
            assert parameters(answer) == ["shop_id"]
        return answer.status_code

    many = [f"s-{n}" for n in range(201)]
    assert await ask(many[:200]) == 200
    for ids in (many, [], ["s", "s"], ["s" * 65]):
        assert await ask(ids) == 400


async def test_a_day_that_is_only_some_shops_today_is_told_for_the_others(
    client: Client, clock: Clock
) -> None:
    clock.now = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)
    await open_shop(client, "east", time_zone="Pacific/Kiritimati")
    await open_shop(client, "west", time_zone="America/New_York")
    answer = await client.get("/v1/scorecards?shop_id=east&shop_id=west&as_of=2026-11-22")
    east, west = answer.json()["items"]
    assert east["scorecard"]["as_of"] == "2026-11-22"
    assert west["problem"]["code"] == "bad_parameter"
    today: list[Json] = (await client.get("/v1/scorecards?shop_id=east&shop_id=west")).json()[
        "items"
    ]
    days = [item["scorecard"]["as_of"] for item in today]
    assert days == ["2026-11-22", "2026-11-21"]


async def test_a_query_answers_as_a_list_does(client: Client) -> None:
    names = [f"{'long' * 15}-{number:03}" for number in range(200)]
    for name in names[:3]:
        await open_shop(client, name)
    await store(client, review("r", subject=names[1]))
    for body in ({"shop_ids": names}, {"shop_ids": names[::-1], "as_of": "2026-11-20"}):
        answer = await client.post("/v1/scorecards/query", json=body)
        assert answer.status_code == 200
        items: list[Json] = answer.json()["items"]
        assert [item["shop_id"] for item in items] == body["shop_ids"]
        assert sum("scorecard" in item for item in items) == 3
        some = body["shop_ids"][:3] + body["shop_ids"][-3:]
        query = "&".join(f"shop_id={name}" for name in some)
        day = f"&as_of={body['as_of']}" if "as_of" in body else ""
        listed = (await client.get(f"/v1/scorecards?{query}{day}")).json()["items"]
        by_name = {item["shop_id"]: item.get("scorecard") for item in items}
        assert [item.get("scorecard") for item in listed] == [by_name[name] for name in some]


async def test_a_query_that_does_not_fit_is_refused_with_every_place(shop: Client) -> None:
    wrong: list[tuple[Json, list[str]]] = [
        ({}, ["/shop_ids"]),
        ({"shop_ids": []}, ["/shop_ids"]),
        ({"shop_ids": [str(number) for number in range(201)]}, ["/shop_ids"]),
        ({"shop_ids": ["s", "s"]}, ["/shop_ids"]),
        ({"shop_ids": ["s", 5, "x" * 65], "as_of": "x"}, ["/shop_ids/1", "/shop_ids/2", "/as_of"]),
        ({"shop_ids": ["s"], "as_of": "1999-12-31"}, ["/as_of"]),
        ({"shop_ids": ["s"], "as_of": "2026-11-24"}, ["/as_of"]),
        ({"shop_ids": ["s"], "day": "2026-11-20"}, ["/day"]),
    ]
    for body, expected in wrong:
        assert pointers(await shop.post("/v1/scorecards/query", json=body)) == expected


async def test_scorecards_refuse_a_day_that_can_be_no_shops(shop: Client) -> None:
    for day in ("1999-12-31", "2026-11-23"):
        answer = await shop.get(f"/v1/scorecards?shop_id=s&as_of={day}")
        assert answer.status_code == 400, day
        assert parameters(answer) == ["as_of"], day
