"""The examples, each run as its users do, and what a server makes of the events it prints."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.harness.client import NDJSON
from tests.harness.postgres import new_database
from tests.harness.server import REPOSITORY, serve

INPUTS = REPOSITORY / "examples" / "inputs"
EXPORTED, EXPORTED_LATER = "2025-04-01T00:00:00Z", "2025-04-08T00:00:00Z"
AS_OF = "2025-03-31"


@pytest.fixture(scope="module")
def service(postgres_url: str) -> Iterator[httpx.Client]:
    """Run a server and yield a client of it."""
    with (
        new_database(postgres_url) as url,
        serve(url) as server,
        server.tenant_client("x") as client,
    ):
        yield client


def open_shop(service: httpx.Client, shop_id: str, currency: str, time_zone: str) -> None:
    """Register a shop."""
    shop = {"marketplace": "web", "category": "all", "currency": currency, "time_zone": time_zone}
    answer = service.put(f"/v1/shops/{shop_id}", json={**shop, "rules": "taobao"})
    assert answer.status_code == 201, answer.text


def run(example: str, text: str, *arguments: str) -> list[bytes]:
    """Return the lines that an example prints of a text."""
    ended = subprocess.run(
        [sys.executable, "-m", f"examples.{example}", example, *arguments],
        cwd=REPOSITORY,
        input=text.encode(),
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr.decode()
    return ended.stdout.splitlines(keepends=True)


def send(service: httpx.Client, lines: list[bytes]) -> tuple[int, int]:
    """Return how many lines are stored and how many are duplicates, when none is refused."""
    content = b"".join(lines)
    answer = service.post("/v1/events", content=content, headers={"content-type": NDJSON})
    assert answer.status_code == 200, answer.text
    return answer.json()["stored"], answer.json()["duplicates"]


def read(service: httpx.Client, shop_id: str, what: str, **query: str) -> Any:
    """Return an answer about a shop."""
    answer = service.get(f"/v1/shops/{shop_id}/{what}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def figures(service: httpx.Client, shop_id: str) -> tuple[str, int, list[str | None]]:
    """Return the sales, the number of listings sold, and the sales as of four days."""
    sales = read(service, shop_id, "tier", as_of=AS_OF)["tier"]["sales"]
    sold = read(service, shop_id, "sell-through", as_of=AS_OF)["sell_through"]["unlisted_sold"]
    trend = read(service, shop_id, "trend", start="2025-03-09", end="2025-03-12")
    return sales, sold, trend["sales"]


def ratings(service: httpx.Client, shop_id: str) -> dict[str, tuple[str, int, str | None]]:
    """Return the state, stars and comment of each rating by its id."""
    return {
        item["review_id"]: (item["state"], item["scores"]["description"], item["comment"])
        for item in read(service, shop_id, "reviews")["items"]
    }


def test_orders_and_refunds_of_woocommerce(service: httpx.Client) -> None:
    open_shop(service, "woocommerce", "EUR", "Europe/Berlin")
    text = (INPUTS / "woocommerce.json").read_text("utf-8")
    lines = run("woocommerce", text)
    assert send(service, lines) == (3, 0)
    assert send(service, lines) == (0, 3)
    days = ["0.00", "64.90", "84.90", "84.90"]
    assert figures(service, "woocommerce") == ("84.90", 2, days)

    edited, cancelled, *others = json.loads(text)
    edited |= {"total": "44.90", "date_modified_gmt": "2025-03-20T10:00:00"}
    del edited["line_items"][1]
    cancelled |= {"status": "cancelled", "date_modified_gmt": "2025-03-20T10:00:00"}
    again = run("woocommerce", json.dumps([edited, cancelled, *others]))
    assert send(service, again) == (2, 1)
    assert send(service, lines) == (0, 3)
    days = ["0.00", "44.90", "44.90", "44.90"]
    assert figures(service, "woocommerce") == ("44.90", 1, days)


def test_orders_of_shopify(service: httpx.Client) -> None:
    open_shop(service, "shopify", "USD", "America/New_York")
    text = (INPUTS / "shopify.json").read_text("utf-8")
    lines = run("shopify", text)
    assert send(service, lines) == (3, 0)
    assert send(service, lines) == (0, 3)
    days = ["0.00", "95.50", "95.50", "127.90"]
    assert figures(service, "shopify") == ("127.90", 1, days)

    edited, void, pending = json.loads(text)
    edited |= {"total_price": "97.50", "updated_at": "2025-03-19T10:00:00-05:00"}
    edited["line_items"][1]["discount_allocations"] = []
    void |= {"financial_status": "voided", "updated_at": "2025-03-19T10:00:00-05:00"}
    again = run("shopify", json.dumps([edited, void, pending]))
    assert send(service, again) == (3, 0)
    assert send(service, lines) == (0, 3)
    days = ["0.00", "97.50", "97.50", "97.50"]
    assert figures(service, "shopify") == ("97.50", 2, days)


def test_reviews_of_amazon(service: httpx.Client) -> None:
    open_shop(service, "amazon_reviews", "USD", "America/Los_Angeles")
    text = (INPUTS / "amazon_reviews.tsv").read_text("utf-8")
    lines = run("amazon_reviews", text, EXPORTED)
    assert send(service, lines) == (3, 0)
    assert send(service, lines) == (0, 3)
    expected = {
        "R1MADEUP000003": ("counted", 4, "Fine\nAs shown."),
        "R1MADEUP000002": ("counted", 2, "Too small"),
        "R1MADEUP000001": (
            "counted",
            5,
            'A "good" mug\nHolds tea & coffee.\n\nI would buy it again.',
        ),
    }
    assert ratings(service, "amazon_reviews") == expected

    edited = text.replace("\t2\t1\t1\tN\tY\tToo small", "\t4\t1\t1\tN\tY\tJust right")
    assert edited != text
    assert send(service, run("amazon_reviews", edited, EXPORTED_LATER)) == (3, 0)
    assert send(service, lines) == (0, 3)
    expected["R1MADEUP000002"] = ("counted", 4, "Just right")
    assert ratings(service, "amazon_reviews") == expected
    dsr = read(service, "amazon_reviews", "dsr", as_of=AS_OF)["dsr"]
    assert [dsr[name]["count"] for name in ("description", "service", "logistics")] == [3, 0, 0]
    assert dsr["description"]["score"] == 4.33333


def test_rates_of_taobao(service: httpx.Client) -> None:
    open_shop(service, "taobao_rates", "CNY", "Asia/Shanghai")
    text = (INPUTS / "taobao_rates.json").read_text("utf-8")
    lines = run("taobao_rates", text, EXPORTED)
    assert send(service, lines) == (4, 0)
    assert send(service, lines) == (0, 4)
    expected = {
        "310000000022": ("removed", 5, None),
        "310000000012": ("counted", 1, "少了一个轮子"),
        "310000000002": ("counted", 5, "很好,推起来很轻"),
    }
    assert ratings(service, "taobao_rates") == expected

    rates = json.loads(text)
    rates[1] |= {"result": "good", "content": "补发了轮子"}
    again = run("taobao_rates", json.dumps(rates), EXPORTED_LATER)
    assert send(service, again) == (4, 0)
    assert send(service, lines) == (0, 4)
    expected["310000000012"] = ("counted", 5, "补发了轮子")
    assert ratings(service, "taobao_rates") == expected
    days = read(service, "taobao_rates", "trend", start="2025-03-05", end="2025-03-06")
    assert days["description"]["count"] == [1, 2]
