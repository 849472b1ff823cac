"""A buyer who is erased: nowhere to be read again, and every figure as before."""

import asyncio

import asyncpg
import httpx
import pytest

from tests.api.conftest import KeyHolder
from tests.api.samples import (
    NOON,
    Client,
    Json,
    event,
    open_shop,
    pointers,
    problem,
    received,
    refusals,
    send,
    store,
)
from tests.harness.postgres import execute

OLD = "王小明-7f3a"
FIGURES = (
    "/scorecard",
    "/dsr",
    "/tier",
    "/sell-through",
    "/listings",
    "/trend?start=2026-11-01&end=2026-11-21",
)


Month = tuple[str, str]
OCTOBER = ("2026-11-01T12:00:00+08:00", "2026-10-30T09:00:00+08:00")
NOVEMBER = (NOON, "2026-11-18T09:00:00+08:00")
"""When a rating was given, and when its order was completed, in a month."""


async def erase(client: Client, buyer_id: str = OLD) -> int:
    """Erase a buyer and return how many facts were changed."""
    answer = await client.post("/v1/erasures", json={"buyer_id": buyer_id})
    assert answer.status_code == 200, answer.text
    assert answer.json().keys() == {"facts"}
    facts: int = answer.json()["facts"]
    return facts


def rating(
    name: str = "r-1",
    buyer_id: str | None = OLD,
    subject: str = "s",
    month: Month = NOVEMBER,
    **data: object,
) -> Json:
    """Return a rating of the buyer, with a comment that names the buyer."""
    time, completed_at = month
    own = {"review_id": name, "buyer_id": buyer_id, "comment": f"from {OLD}"}
    data = {**own, "completed_at": completed_at, **data}
    return event(id=f"e-{name}", subject=subject, time=time, data=data)


def removal(name: str = "r-1", **data: object) -> Json:
    """Return the removal of a rating, with a note that names the buyer."""
    return event("review.removed", data={"review_id": name, "note": f"{OLD} again", **data})


def order(
    name: str = "o-1", buyer_id: str | None = OLD, subject: str = "s", **data: object
) -> Json:
    """Return an order of the buyer."""
    return event(
        "order.paid", subject=subject, data={"order_id": name, "buyer_id": buyer_id, **data}
    )


def retraction(review_id: str, revision: int) -> Json:
    """Return the retraction of a rating."""
    named = {"type": "review.posted", "identity": {"review_id": review_id}, "revision": revision}
    return event("event.retracted", data=named)


async def reviews(client: Client, shop_id: str = "s") -> dict[str, Json]:
    """Return the ratings of a shop by id."""
    answer = await client.get(f"/v1/shops/{shop_id}/reviews")
    return {item["review_id"]: item for item in answer.json()["items"]}


async def buyers(client: Client, shop_id: str = "s") -> dict[str, str | None]:
    """Return the buyers of the ratings of a shop."""
    return {name: item["buyer_id"] for name, item in (await reviews(client, shop_id)).items()}


async def figures(client: Client, shop_id: str = "s") -> list[str]:
    """Return every figure of a shop, and its ratings without buyers and comments."""
    read = [(await client.get(f"/v1/shops/{shop_id}{path}")).text for path in FIGURES]
    ratings = [
        {**item, "buyer_id": None, "comment": None}
        for item in (await reviews(client, shop_id)).values()
    ]
    return [*read, str(ratings)]


async def dump(url: str) -> str:
    """Return every row of every table as text, with the samples of values among them."""
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch(
            "select format('%I.%I', schemaname, tablename) from pg_tables"
            " where schemaname = 'public' or tablename = 'pg_statistic'"
        )
        rows = [await connection.fetch(f"select t::text from {name} t") for (name,) in tables]
    finally:
        await connection.close()
    return "\n".join(text for of_table in rows for (text,) in of_table)


async def test_a_buyer_is_replaced_in_every_shop_and_each_changed_fact_counts_once(
    shop: Client,
) -> None:
    await open_shop(shop, "t")
    await store(shop, rating(), removal(), order(), rating("r-2", "b-2"), rating("r-3", None))
    await store(shop, rating(subject="t"), order("o-2", subject="t"), order("o-3", "b-2"))
    assert await erase(shop) == 5
    own, other = await reviews(shop), await reviews(shop, "t")
    new = own["r-1"]["buyer_id"]
    assert new not in {None, OLD}
    assert other["r-1"]["buyer_id"] == new
    assert (own["r-1"]["comment"], other["r-1"]["comment"]) == (None, None)
    assert [own[name]["buyer_id"] for name in ("r-2", "r-3")] == ["b-2", None]
    assert own["r-2"]["comment"] == f"from {OLD}"
    assert await erase(shop) == 0


async def test_two_buyers_and_two_erasures_have_ids_of_their_own(shop: Client) -> None:
    await store(shop, rating(), rating("r-2", "b-2"))
    await erase(shop)
    await erase(shop, "b-2")
    await store(shop, rating("r-3"))
    assert (await buyers(shop))["r-3"] == OLD
    await erase(shop)
    assert len(set((await buyers(shop)).values())) == 3


async def test_the_id_is_in_no_row_afterwards_nor_after_later_revisions(
    shop: Client, database_url: str
) -> None:
    note = {"note": f"{OLD} again"}
    await store(shop, *(rating(f"r-{n}") for n in range(200)), removal(), order())
    await store(shop, event("review.restored", data={"review_id": "r-1", **note}))
    await execute(database_url, "analyze")
    assert OLD in await dump(database_url)
    await erase(shop)
    assert OLD not in await dump(database_url)
    await store(
        shop,
        *(rating(f"r-{n}", revision=1) for n in range(3)),
        removal(revision=1),
        event("review.restored", data={"review_id": "r-1", "revision": 7, **note}),
        order(revision=1),
        retraction("r-4", 1),
    )
    await store(shop, rating("r-4", revision=2), retraction("r-1", 2))
    assert OLD not in await dump(database_url)


async def test_figures_stay_though_ratings_are_capped(shop: Client) -> None:
    for name in "tuvw":
        await open_shop(shop, name)
    stream = [
        rating(
            f"r-{n}", subject=name, month=(OCTOBER, NOVEMBER)[n % 2], scores={"service": 1 + n % 5}
        )
        for name in "stuvw"
        for n in range(12)
    ]
    await store(shop, *stream, removal("r-3"), order(), rating("x", "b-2"))
    await shop.post("/v1/peer-snapshots", json={"as_of": "2026-11-21"})
    before = [await figures(shop, name) for name in "stuvw"]
    assert '"peers":{"status":"ok"' in before[0][1]
    assert {item["state"] for item in (await reviews(shop)).values()} == {
        "counted",
        "capped",
        "removed",
    }
    assert await erase(shop) == 62
    await shop.post("/v1/peer-snapshots", json={"as_of": "2026-11-21"})
    assert [await figures(shop, name) for name in "stuvw"] == before


async def test_an_erased_fact_sent_again_is_a_duplicate_and_a_changed_one_a_conflict(
    shop: Client,
) -> None:
    sent = [rating(), removal(), order()]
    await store(shop, *sent)
    await erase(shop)
    assert (await send(shop, sent)).json() == received(0, 3)
    others = [rating(buyer_id="b-2", comment="other"), order(buyer_id=None), removal(note=None)]
    assert (await send(shop, others)).json() == received(0, 3)
    answer = await send(shop, [rating(scores={"service": 1}), order(region="北京")])
    assert [code for *_, code in refusals(answer)] == ["conflict", "conflict"]
    errors = [[error["pointer"] for error in item["errors"]] for item in answer.json()["rejected"]]
    assert errors == [["/data/scores"], ["/data/region"]]


@pytest.mark.parametrize("buyer_id", [OLD, "b-2", None])
async def test_what_was_erased_stays_erased_under_later_revisions(
    shop: Client, buyer_id: str | None
) -> None:
    await store(shop, rating(), rating("r-2", revision=3))
    await erase(shop)
    erased = await buyers(shop)
    later = rating(buyer_id=buyer_id, revision=1, scores={"service": 2}, comment="new")
    await store(shop, later)
    own = (await reviews(shop))["r-1"]
    assert (own["buyer_id"], own["comment"]) == (erased["r-1"], None)
    assert (own["revision"], own["scores"]["service"]) == (1, 2)
    await store(shop, retraction("r-1", 2))
    assert (await reviews(shop)).keys() == {"r-2"}
    assert (await send(shop, retraction("r-1", 2))).json() == received(0, 1)
    await store(shop, rating(buyer_id=buyer_id, revision=3))
    assert await buyers(shop) == erased


async def test_a_later_revision_moves_within_the_months_of_its_buyer(shop: Client) -> None:
    await store(shop, *(rating(f"r-{n}", month=OCTOBER) for n in range(3)))
    await store(shop, rating("x"))
    await erase(shop)
    await store(shop, rating("x", month=(OCTOBER[0], "2026-10-31T09:00:00+08:00"), revision=1))
    assert (await reviews(shop))["x"]["state"] == "capped"
    await store(shop, rating("new", month=OCTOBER))
    assert (await reviews(shop))["new"]["state"] == "counted"
    await store(shop, retraction("r-0", 1))
    assert (await reviews(shop))["x"]["state"] == "counted"


async def test_other_tenants_keep_their_buyer_of_the_same_id(
    shop: Client, holder: KeyHolder
) -> None:
    other = await holder(tenant="other")
    await open_shop(other)
    await store(shop, rating())
    await store(other, rating(), order())
    assert await erase(shop) == 1
    assert await buyers(other) == {"r-1": OLD}
    assert await erase(other) == 2


async def test_an_erasure_is_in_the_audit_trail_without_its_buyer(
    shop: Client, database_url: str
) -> None:
    await store(shop, rating(), order())
    await erase(shop)
    entry = (await shop.get("/v1/audit")).json()["items"][0]
    assert (entry["what"], entry["on"]) == ("eraseBuyer", ["2 facts"])
    assert OLD not in await dump(database_url)


async def test_keys_need_the_scope_and_every_shop(shop: Client, holder: KeyHolder) -> None:
    await store(shop, rating())
    for client in (
        await holder(scopes=("events:write", "scores:read", "buyers:read", "shops:write")),
        await holder(shop_ids=["s"]),
    ):
        answer = await client.post("/v1/erasures", json={"buyer_id": OLD})
        assert problem(answer, 403) == "forbidden"
    assert await buyers(shop) == {"r-1": OLD}


@pytest.mark.parametrize(
    "body", [{}, {"buyer_id": None}, {"buyer_id": ""}, {"buyer_id": "x" * 129}, {"buyer_id": 7}]
)
async def test_a_body_without_an_id_is_refused(shop: Client, body: Json) -> None:
    assert pointers(await shop.post("/v1/erasures", json=body)) == ["/buyer_id"]


@pytest.mark.parametrize(
    "buyer_id", ["%", "_", "' or true --", "王**", " ", "\\", "{x}", "x" * 128]
)
async def test_an_id_of_any_script_is_taken_as_it_is(shop: Client, buyer_id: str) -> None:
    await store(shop, rating(buyer_id=buyer_id), rating("r-2", "b-2"))
    assert await erase(shop, buyer_id) == 1
    assert (await buyers(shop))["r-2"] == "b-2"


async def test_nothing_is_erased_where_it_cannot_be_told(shop: Client, database_url: str) -> None:
    await store(shop, rating(), removal(), order())
    check = "alter table audit_trail add check (what <> 'eraseBuyer')"
    await execute(database_url, check)
    answer = await shop.post("/v1/erasures", json={"buyer_id": OLD})
    assert answer.status_code == 500
    own = (await reviews(shop))["r-1"]
    assert (own["buyer_id"], own["comment"]) == (OLD, f"from {OLD}")


async def test_events_and_erasures_at_once_leave_whole_facts(shop: Client) -> None:
    async def send_each(n: int) -> httpx.Response:
        return await send(shop, [rating(f"r-{n}"), order(f"o-{n}")])

    await store(shop, rating("r-0"))
    answers = await asyncio.gather(
        *(send_each(n) for n in range(1, 15)),
        shop.post("/v1/erasures", json={"buyer_id": OLD}),
        *(send_each(n) for n in range(1, 30)),
    )
    assert {answer.status_code for answer in answers} == {200}
    await erase(shop)
    own = await reviews(shop)
    assert len(own) == 30
    assert {(item["buyer_id"] == OLD, item["comment"]) for item in own.values()} == {(False, None)}
