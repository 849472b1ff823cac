"""Every field of a set of rules is checked, and what is wrong is named."""

from typing import Any

from tests.api.samples import pointers, problem
from tests.depth.session import Session
from tests.reference.rules import BUILT_IN, Json

GOOD = BUILT_IN["taobao"]
ZERO, SHARES = GOOD["zero_payment"], GOOD["band_shares"]
CUTS = GOOD["tier_quantiles"]

BOUNDS = {
    "rating_window_days": (1, 730),
    "ratings_per_buyer_month": (1, 1000),
    "rating_deadline_days": (0, 365),
    "min_ratings": (1, 100_000),
    "peer_min_shops": (2, 1000),
    "sales_window_days": (1, 365),
    "sold_window_days": (1, 365),
    "slow_days": (1, 730),
}
NULLABLE = {"ratings_per_buyer_month", "rating_deadline_days"}

BAD: list[tuple[str, str, Any]] = [
    *((f"/{name}", name, least - 1) for name, (least, _) in BOUNDS.items()),
    *((f"/{name}", name, most + 1) for name, (_, most) in BOUNDS.items()),
    *((f"/{name}", name, wrong) for name in BOUNDS for wrong in ("30", 30.0, 30.5, True, [30])),
    *((f"/{name}", name, None) for name in BOUNDS if name not in NULLABLE),
    ("/rating_window_days", "rating_window_days", 10**30),
    ("/refunds_reduce_sales", "refunds_reduce_sales", None),
    ("/refunds_reduce_sales", "refunds_reduce_sales", 0),
    ("/refunds_reduce_sales", "refunds_reduce_sales", "false"),
    ("/slow_days", "slow_days", -(10**6)),
    ("/tier_quantiles", "tier_quantiles", None),
    ("/tier_quantiles", "tier_quantiles", "0.5"),
    ("/tier_quantiles", "tier_quantiles", CUTS[:5]),
    ("/tier_quantiles", "tier_quantiles", [*CUTS, "0.999"]),
    ("/tier_quantiles", "tier_quantiles", [*CUTS[:5], "1"]),
    ("/tier_quantiles", "tier_quantiles", [*CUTS[:5], "1.5"]),
    ("/tier_quantiles", "tier_quantiles", ["0", *CUTS[1:]]),
    ("/tier_quantiles", "tier_quantiles", ["0.70", *CUTS[1:]]),
    ("/tier_quantiles", "tier_quantiles", CUTS[::-1]),
    ("/tier_quantiles/0", "tier_quantiles", [0.4, *CUTS[1:]]),
    ("/tier_quantiles/1", "tier_quantiles", [CUTS[0], ".7", *CUTS[2:]]),
    ("/tier_quantiles/1", "tier_quantiles", [CUTS[0], "7e-1", *CUTS[2:]]),
    ("/tier_quantiles/5", "tier_quantiles", [*CUTS[:5], "0.99\n"]),
    ("/tier_quantiles/5", "tier_quantiles", [*CUTS[:5], "-0.99"]),
    ("/band_shares", "band_shares", None),
    ("/band_shares", "band_shares", []),
    ("/band_shares/traffic", "band_shares", {"shops": SHARES["shops"]}),
    ("/band_shares/looks", "band_shares", {**SHARES, "looks": ["1", "0", "0"]}),
    ("/band_shares/shops", "band_shares", {**SHARES, "shops": ["0.70", "0.25", "0.06"]}),
    ("/band_shares/traffic", "band_shares", {**SHARES, "traffic": ["0.3", "0.4", "0.2"]}),
    ("/band_shares/shops", "band_shares", {**SHARES, "shops": ["0.75", "0.25"]}),
    ("/band_shares/shops", "band_shares", {**SHARES, "shops": ["0.25"] * 4}),
    ("/band_shares/shops/0", "band_shares", {**SHARES, "shops": [0.70, "0.25", "0.05"]}),
    ("/band_shares/shops/2", "band_shares", {**SHARES, "shops": ["0.75", "0.3", "-0.05"]}),
    ("/zero_payment", "zero_payment", "within"),
    ("/zero_payment/published", "zero_payment", {**ZERO, "published": "since"}),
    ("/zero_payment/published_days", "zero_payment", {**ZERO, "published_days": 0}),
    ("/zero_payment/published_days", "zero_payment", {**ZERO, "published_days": 366}),
    ("/zero_payment/no_sale_days", "zero_payment", {**ZERO, "no_sale_days": 0}),
    ("/zero_payment/no_sale_days", "zero_payment", {**ZERO, "no_sale_days": 366}),
    ("/zero_payment/no_sale_days", "zero_payment", {**ZERO, "no_sale_days": None}),
    ("/zero_payment/more", "zero_payment", {**ZERO, "more": 1}),
    ("/zero_payment/no_sale_days", "zero_payment", {"published": "within", "published_days": 1}),
    ("/name", "name", "mine"),
    ("/version", "version", 1),
]


async def test_one_bad_value_is_refused_by_the_name_of_its_field(service: Session) -> None:
    for pointer, name, value in BAD:
        answer = await service.client.put("/v1/rules/mine", json={**GOOD, name: value})
        assert pointers(answer) == [pointer], (name, value, answer.text)
    assert problem(await service.get("rules/mine"), 404) == "not_found"


async def test_no_field_may_be_missing(service: Session) -> None:
    for missing in GOOD:
        body = {name: value for name, value in GOOD.items() if name != missing}
        answer = await service.client.put("/v1/rules/mine", json=body)
        assert pointers(answer) == [f"/{missing}"]


async def test_bounds_themselves_are_allowed(service: Session) -> None:
    for name, bounds in BOUNDS.items():
        for value in bounds:
            body = {**GOOD, name: value}
            answer = await service.put("rules/mine", body)
            assert (await service.read("rules/mine")) == answer.json()
            assert answer.json().items() >= body.items()
    for name in NULLABLE:
        assert (await service.put("rules/mine", {**GOOD, name: None})).json()[name] is None


async def test_odd_but_allowed_values_come_back_as_they_are(service: Session) -> None:
    odd: list[Json] = [
        {"tier_quantiles": ["0.000001", "0.1", "0.10001", "0.2", "0.3", "0.9999999999999999"]},
        {"band_shares": {"shops": ["1", "0", "0.0"], "traffic": ["0.333", "0.333", "0.334"]}},
        {"zero_payment": {"published": "before", "published_days": 365, "no_sale_days": 1}},
    ]
    for changes in odd:
        await service.put("rules/mine", {**GOOD, **changes})
        assert (await service.read("rules/mine")).items() >= changes.items()


async def test_what_is_not_json_cannot_be_read(service: Session) -> None:
    headers = {"content-type": "application/json"}
    for body in (b"", b"{", b"nil", b"\x00", b"\xff{}", b'{"slow_days":1}}'):
        for name in ("mine", "taobao"):
            answer = await service.client.put(f"/v1/rules/{name}", content=body, headers=headers)
            assert problem(answer, 400) == "bad_request"


async def test_rules_are_an_object(service: Session) -> None:
    others: list[Any] = [[], 1, "taobao"]
    for body in others:
        answer = await service.client.put("/v1/rules/mine", json=body)
        assert pointers(answer) == [""]


async def test_bodies_of_other_media_types_are_not_rules(service: Session) -> None:
    answer = await service.client.put("/v1/rules/mine", content="{}")
    assert problem(answer, 415) == "unsupported_media_type"
