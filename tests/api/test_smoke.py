async def test_a_shop_without_events_has_a_scorecard_of_zeros(client) -> None:
    r = await client.put("/v1/shops/a", json={"marketplace":"taobao","category":"x","currency":"CNY"})
    assert r.status_code == 201, r.text
    r = await client.get("/v1/shops/a/scorecard")
    assert r.json()["dsr"]["description"]["status"] == "none", r.text
    r = await client.head("/v1/shops/a/scorecard")
    print(r.headers, repr(r.content))
