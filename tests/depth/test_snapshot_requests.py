"""Peer snapshots that callers request: which day, which body, which page."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.api.samples import parameters, pointers, problem
from tests.conftest import new_key
from tests.depth.session import Session

JSON = {"content-type": "application/json"}
TODAY = date(2026, 11, 21)
SHOP = {"marketplace": "m", "category": "c", "currency": "CNY", "rules": "taobao"}


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        ("", {}),
        ("", JSON),
        ("{}", JSON),
        (" {} ", {"content-type": "application/json; charset=UTF-8"}),
    ],
)
async def test_without_a_day_it_is_yesterday_in_utc(
    service: Session, content: str, headers: dict[str, str]
) -> None:
    await service.put("shops/s", SHOP)
    service.clock.now = datetime(2026, 11, 21, 23, 59, 59, 999_999, tzinfo=UTC)
    answer = await service.client.post("/v1/peer-snapshots", content=content, headers=headers)
    assert answer.status_code == 201
    assert answer.json() == {
        "as_of": "2026-11-20",
        "taken_at": "2026-11-21T23:59:59.999999Z",
        "shops": 1,
        "groups": 1,
    }


async def test_the_day_may_be_any_from_2000_to_today_in_utc(service: Session) -> None:
    for day in ("2000-01-01", "2026-11-20", "2026-11-21"):
        answer = await service.client.post("/v1/peer-snapshots", json={"as_of": day})
        assert answer.status_code == 201
        assert answer.json()["as_of"] == day
        assert (answer.json()["shops"], answer.json()["groups"]) == (0, 0)
    for day in ("1999-12-31", "2026-11-22", "9999-12-31", "0001-01-01"):
        answer = await service.client.post("/v1/peer-snapshots", json={"as_of": day})
        assert problem(answer, 400) == "bad_request"
        assert [error["pointer"] for error in answer.json()["errors"]] == ["/as_of"]
    assert len((await service.read("peer-snapshots"))["items"]) == 3


async def test_a_body_that_does_not_fit_is_refused(service: Session) -> None:
    for body in (
        {"as_of": None},
        {"as_of": "2026-11-31"},
        {"as_of": 20261120},
        {"as_of": "today"},
        {"as_of": "2026-11-20T00:00:00Z"},
        {"as_of": ""},
    ):
        answer = await service.client.post("/v1/peer-snapshots", json=body)
        assert pointers(answer) == ["/as_of"], body
    answer = await service.client.post("/v1/peer-snapshots", json={"day": "2026-11-20"})
    assert pointers(answer) == ["/day"]
    for text in ("null", "[]", '"2026-11-20"'):
        answer = await service.client.post("/v1/peer-snapshots", content=text, headers=JSON)
        assert pointers(answer) == [""]
    for text in ("{", "\x00", " "):
        answer = await service.client.post("/v1/peer-snapshots", content=text, headers=JSON)
        assert problem(answer, 400) == "bad_request"
    for headers in ({}, {"content-type": "text/plain"}):
        answer = await service.client.post("/v1/peer-snapshots", content="{}", headers=headers)
        assert problem(answer, 415) == "unsupported_media_type"
    answer = await service.client.post("/v1/peer-snapshots?as_of=2026-11-20")
    assert parameters(answer) == ["as_of"]
    assert (await service.read("peer-snapshots"))["items"] == []


async def test_pages_of_snapshots_are_newest_first(service: Session) -> None:
    days = [TODAY - timedelta(days=back) for back in (3, 0, 9, 1, 400, 2)]
    for day in days:
        await service.snapshot(day)
    for limit in (1, 2, 3, 5, 6, 7):
        items = (await service.walk("peer-snapshots", limit))["items"]
        assert [item["as_of"] for item in items] == [f"{day}" for day in sorted(days)[::-1]]


async def test_pages_stay_right_while_snapshots_are_taken(service: Session) -> None:
    for back in (2, 4, 6, 8):
        await service.snapshot(TODAY - timedelta(days=back))
    page = await service.read("peer-snapshots", limit=2)
    for back in (1, 3, 4, 5, 7):
        await service.snapshot(TODAY - timedelta(days=back))
    rest = await service.read("peer-snapshots", limit=50, cursor=page["next_cursor"])
    seen = [(TODAY - date.fromisoformat(item["as_of"])).days for item in rest["items"]]
    assert seen == [5, 6, 7, 8]


async def test_tenants_have_snapshots_of_their_own(service: Session) -> None:
    await service.put("shops/s", SHOP)
    await service.snapshot(TODAY)
    other = await new_key(service.database, service.clock, tenant="other")
    service.client.headers["authorization"] = f"Bearer {other}"
    assert (await service.read("peer-snapshots"))["items"] == []
    assert (await service.snapshot(TODAY - timedelta(days=1)))["shops"] == 0
    assert len((await service.read("peer-snapshots"))["items"]) == 1
