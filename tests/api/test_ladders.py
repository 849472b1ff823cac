"""Ladders: six amounts that make the levels of a category."""

from tests.api.conftest import KeyHolder
from tests.api.samples import Client, event, open_shop, parameters, problem, store

PATH = "/v1/ladders/taobao/baby"
AMOUNTS = ["1", "10.5", "100.00", "1000", "2000", "9999999999.99"]
LADDER = {"currency": "CNY", "amounts": AMOUNTS}
SHOWN = {
    "currency": "CNY",
    "amounts": ["1.00", "10.50", "100.00", "1000.00", "2000.00", "9999999999.99"],
}


async def test_a_ladder_is_put_shown_and_deleted(client: Client) -> None:
    assert problem(await client.get(PATH), 404) == "not_found"
    assert problem(await client.delete(PATH), 404) == "not_found"
    made = await client.put(PATH, json=LADDER)
    assert (made.status_code, made.json()) == (201, SHOWN)
    again = await client.put(PATH, json=LADDER)
    assert (again.status_code, again.json()) == (200, SHOWN)
    assert (await client.get(PATH)).json() == SHOWN
    yen = {"currency": "JPY", "amounts": ["1", "2", "3", "4", "5", "1000000000000"]}
    assert (await client.put(PATH, json=yen)).json() == yen
    assert (await client.get(PATH)).json() == yen
    gone = await client.delete(PATH)
    assert (gone.status_code, gone.content) == (204, b"")
    assert problem(await client.get(PATH), 404) == "not_found"
    assert problem(await client.delete(PATH), 404) == "not_found"


async def test_a_ladder_that_does_not_fit_is_refused(client: Client) -> None:
    for amounts in (
        AMOUNTS[:5],
        [*AMOUNTS, "9999999999.999"],
        ["0.5", *AMOUNTS],
        [*AMOUNTS[:5], "9999999999\n"],
        ["0", *AMOUNTS[1:]],
        ["0.00", *AMOUNTS[1:]],
        ["10.5", "10.50", *AMOUNTS[2:]],
        AMOUNTS[::-1],
        ["-1", *AMOUNTS[1:]],
        ["01", *AMOUNTS[1:]],
        ["1e0", *AMOUNTS[1:]],
        ["0.001", *AMOUNTS[1:]],
        [*AMOUNTS[:5], "10000000000.01"],
        [*AMOUNTS[:5], "9" * 5_000],
        [1, 2, 3, 4, 5, 6],
        [None, *AMOUNTS[1:]],
        "1 2 3 4 5 6",
        None,
    ):
        answer = await client.put(PATH, json={"currency": "CNY", "amounts": amounts})
        assert problem(answer, 422) == "invalid", amounts
    bodies: list[object] = [{"amounts": AMOUNTS}, {"currency": "CNY"}, {**LADDER, "x": 1}, []]
    for body in bodies:
        assert problem(await client.put(PATH, json=body), 422) == "invalid"
    for currency in ("XTS", "cny", "", None, 5):
        answer = await client.put(PATH, json={**LADDER, "currency": currency})
        assert problem(answer, 422) == "invalid"
    assert problem(await client.get(PATH), 404) == "not_found"


async def test_a_bad_name_in_the_path_is_a_bad_parameter(client: Client) -> None:
    for path, name in (("/v1/ladders/a%20b/c", "marketplace"), ("/v1/ladders/a/c:", "category")):
        assert parameters(await client.put(path, json=LADDER)) == [name]
        assert problem(await client.get(path), 404) == "not_found"
        assert problem(await client.delete(path), 404) == "not_found"


async def test_a_ladder_is_its_tenants_own_and_serves_every_day(
    shop: Client, holder: KeyHolder
) -> None:
    await store(shop, event("order.paid"))
    stranger = await holder(tenant="other")
    await stranger.put(PATH, json=LADDER)
    assert (await shop.get("/v1/shops/s/tier")).json()["tier"]["status"] == "no_ladder"
    await shop.put(PATH, json=LADDER)
    assert (await stranger.delete(PATH)).status_code == 204
    for day, level in (("2026-11-21", 3), ("2026-11-20", 3), ("2026-11-19", 1)):
        for path in ("tier", "scorecard"):
            answer = await shop.get(f"/v1/shops/s/{path}?as_of={day}")
            assert answer.json()["tier"]["level"] == level
    tier = (await shop.get("/v1/shops/s/tier")).json()["tier"]
    assert tier["sales"] == "19.90"
    assert tier["ladder"] == {"source": "amounts", "as_of": None}
    assert tier["next"] == {"level": 4, "amount": "100.00", "gap": "80.10"}
    assert tier["floor"] == {"amount": "10.50", "margin": "9.40"}


async def test_a_ladder_in_another_currency_counts_as_none(shop: Client) -> None:
    await open_shop(shop, "yen", currency="JPY")
    await shop.put(PATH, json=LADDER)
    assert (await shop.get("/v1/shops/yen/tier")).json()["tier"]["status"] == "no_ladder"
    assert (await shop.get("/v1/shops/s/tier")).json()["tier"]["status"] == "ok"
    await shop.delete(PATH)
    assert (await shop.get("/v1/shops/s/tier")).json()["tier"]["status"] == "no_ladder"
