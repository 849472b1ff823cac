"""An event costs as much after thousands of events with the same id as after none."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from api.ports import Limits
from tests.api.samples import DATA, JSON, SHOP, Json, event
from tests.attacks.conftest import World
from tests.harness.raw_socket import raw_headers
from tests.harness.server import Server

STORED = Limits().batch_events_max
"""Events with one id, which are stored in one request."""

SINGLE_EVENTS = 30
RATIO_MAX = 4.0
"""How much the cheapest of some events may cost later, beside the cheapest of the first ones."""

START = datetime(2026, 11, 18, 2, tzinfo=UTC)

IDENTITIES = {
    "review.posted": "review_id",
    "order.paid": "order_id",
    "order.refunded": "refund_id",
}
"""The ids of facts of which there is only one; further events of the same id are revisions."""

SLOWER_WITH_EACH_REFUND = (
    """
    create function slow() returns trigger language plpgsql as $$
    begin
        perform pg_sleep(count(*) / 1e5)
        from refunds
        where shop_key = (select max(shop_key) from shops);
        return null;
    end $$
    """,
    "create trigger slow after insert on refunds execute function slow()",
)


def one_id_each() -> Iterator[tuple[str, str]]:
    """Yield each type of event with each of its ids."""
    for kind, data in DATA.items():
        for name in data:
            if name.endswith("_id") and not (kind.startswith("review.") and name == "listing_id"):
                yield kind, name
        if "lines" in data:
            yield kind, "listing_id"
    for kind in IDENTITIES:
        yield "event.retracted", kind


def events_of_one_id(shop_id: str, kind: str, shared: str) -> Callable[[int], Json]:
    """Return a function that makes events which differ but for one id."""

    def make(number: int) -> Json:
        instant = (START + timedelta(seconds=number)).isoformat()
        if kind == "event.retracted":
            identity = {IDENTITIES[shared]: "same"}
            data: Json = {"type": shared, "identity": identity, "revision": number + 1}
        else:
            data = {
                name: "same" if name == shared else f"{number}" if name.endswith("_id") else value
                for name, value in DATA[kind].items()
            }
            if IDENTITIES.get(kind) == shared:
                data["revision"] = number
            if "lines" in data:
                listing_id = "same" if shared == "listing_id" else f"{number}"
                data["lines"] = [{"listing_id": listing_id, "quantity": 1, "amount": "1"}]
        return event(kind, id=f"{number}", subject=shop_id, time=instant, data=None) | {
            "data": data
        }

    return make


def growth(server: Server, key: str, shop_id: str, make: Callable[[int], Json]) -> float:
    """Return how many times as long an event takes after a large batch."""
    headers = raw_headers(key, JSON)
    with server.raw_socket(timeout_s=60) as connection:

        def send(method: str, target: str, body: object) -> float:
            started_s = time.perf_counter()
            answer = connection.request(method, target, headers, json.dumps(body).encode())
            took_s = time.perf_counter() - started_s
            assert answer.status in {200, 201}, answer.body
            return took_s

        def cheapest_s(first: int) -> float:
            numbers = range(first, first + SINGLE_EVENTS)
            return min(send("POST", "/v1/events", make(number)) for number in numbers)

        send("PUT", f"/v1/shops/{shop_id}", SHOP)
        before_s = cheapest_s(0)
        send("POST", "/v1/events", [make(SINGLE_EVENTS + number) for number in range(STORED)])
        return cheapest_s(SINGLE_EVENTS + STORED) / before_s


@pytest.mark.parametrize(("kind", "shared"), [*one_id_each()])
def test_an_event_costs_no_more_for_the_events_of_the_same_id_before_it(
    server: Server, key: str, kind: str, shared: str
) -> None:
    shop_id = f"{kind}-{shared}"
    grown = growth(server, key, shop_id, events_of_one_id(shop_id, kind, shared))
    assert grown < RATIO_MAX


def test_a_cost_that_grows_with_one_id_is_measured(world: World, server: Server, key: str) -> None:
    async def slow_down() -> None:
        connection = await asyncpg.connect(world.database_url)
        for statement in SLOWER_WITH_EACH_REFUND:
            await connection.execute(statement)
        await connection.close()

    asyncio.run(slow_down())
    make = events_of_one_id("slow", "order.refunded", "order_id")
    assert growth(server, key, "slow", make) > RATIO_MAX
