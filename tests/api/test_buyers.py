"""Buyers and their comments are shown to keys with the scope `buyers:read` alone."""

from tests.api.conftest import KeyHolder
from tests.api.samples import Client, event, send


async def test_buyers_and_comments_are_null_without_the_scope(
    shop: Client, holder: KeyHolder
) -> None:
    await send(shop, event(data={"buyer_id": "b-7", "comment": "canary"}))
    [whole] = (await shop.get("/v1/shops/s/reviews")).json()["items"]
    assert (whole["buyer_id"], whole["comment"]) == ("b-7", "canary")
    reader = await holder(scopes=("scores:read",))
    answer = await reader.get("/v1/shops/s/reviews")
    assert answer.json()["items"] == [{**whole, "buyer_id": None, "comment": None}]
    assert "canary" not in answer.text


async def test_an_answer_with_buyers_is_not_confirmed_to_a_key_without_the_scope(
    shop: Client, holder: KeyHolder
) -> None:
    await send(shop, event())
    tag = (await shop.get("/v1/shops/s/reviews")).headers["etag"]
    reader = await holder(scopes=("scores:read",))
    answer = await reader.get("/v1/shops/s/reviews", headers={"if-none-match": tag})
    assert answer.status_code == 200
