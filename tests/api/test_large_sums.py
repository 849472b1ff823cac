"""Money: no sum of legal amounts overflows anything."""

from tests.api.samples import NOON, Client, event, send, store
from tests.harness.postgres import execute

HUGE = 10**30
READS = (
    *("scorecard", "dsr", "tier", "sell-through", "listings", "reviews"),
    "trend?start=2026-11-01&end=2026-11-20",
    "dsr/change?start=2026-11-01&end=2026-11-20",
)


def order(name: str, *amounts: str) -> dict[str, object]:
    """Return an order with a line for each amount."""
    lines = [
        {"listing_id": f"l-{n}", "quantity": 1, "amount": amount}
        for n, amount in enumerate(amounts)
    ]
    return event("order.paid", data={"order_id": name, "lines": lines}, time=NOON)


async def test_the_lines_of_an_order_are_bounded_together(shop: Client) -> None:
    await store(shop, order("o-1", "9999999999.99", "0.01"))
    answer = await send(shop, order("o-2", "9999999999.99", "0.02"))
    assert answer.status_code == 422
    [rejected] = answer.json()["rejected"]
    assert (rejected["code"], pointers_of(rejected)) == ("invalid", ["/data/lines"])


def pointers_of(rejected: dict[str, list[dict[str, str]]]) -> list[str]:
    """Return where the faults of a refused event are."""
    return [error["pointer"] for error in rejected["errors"]]


async def test_sums_over_every_integer_of_the_database_are_read_and_added_to(
    shop: Client, database_url: str
) -> None:
    await store(shop, order("o-1", "9999999999.99"))
    for table in ("shop_totals", "daily_totals"):
        await execute(database_url, f"update {table} set paid = paid + {HUGE}::numeric")
    await execute(database_url, f"update shop_totals set day_paid = day_paid + {HUGE}::numeric")
    await store(shop, order("o-2", "9999999999.99"))
    for path in READS:
        answer = await shop.get(f"/v1/shops/s/{path}")
        assert answer.status_code == 200, (path, answer.text)
    assert (await shop.get("/v1/scorecards?shop_id=s")).status_code == 200
    sales = (await shop.get("/v1/shops/s/tier")).json()["tier"]["sales"]
    assert len(sales) > len(str(HUGE // 100))
    for as_of in ("2026-11-20", "2026-11-21"):
        taken = await shop.post("/v1/peer-snapshots", json={"as_of": as_of})
        assert taken.status_code == 201, taken.text
    assert (await shop.get("/v1/shops/s/tier")).json()["tier"]["sales"] == sales
