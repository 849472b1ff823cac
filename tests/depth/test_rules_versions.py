"""Sets of rules: their names, their versions and who sees them."""

import asyncio

from tests.api.samples import parameters, problem
from tests.depth.session import Session
from tests.reference.rules import BUILT_IN

GOOD = BUILT_IN["taobao"]


async def test_built_in_sets_are_there_and_read_only(service: Session) -> None:
    listed = (await service.read("rules"))["items"]
    assert listed == [
        {**BUILT_IN[name], "name": name, "version": 1, "built_in": True}
        for name in ("pinduoduo", "taobao")
    ]
    for name in BUILT_IN:
        assert await service.read(f"rules/{name}") in listed
        answer = await service.client.put(f"/v1/rules/{name}", json=GOOD)
        assert problem(answer, 409) == "built_in"


async def test_a_bad_name_is_no_name(service: Session) -> None:
    for name in ("%20", "a%20b", "x" * 65, "%2E%2E", "%E8%A7%84", "a%00", "a:b"):
        assert parameters(await service.client.put(f"/v1/rules/{name}", json=GOOD)) == ["name"]
        assert problem(await service.client.get(f"/v1/rules/{name}"), 404) == "not_found"


async def test_good_names_are_kept_as_they_are(service: Session) -> None:
    good = ("x", "x" * 64, "a..b", "...", "~", "-", "_", "Taobao", "0")
    for name in good:
        answer = await service.put(f"rules/{name}", GOOD)
        assert answer.json() == {**GOOD, "name": name, "version": 1, "built_in": False}
    names = [rules["name"] for rules in (await service.read("rules"))["items"]]
    assert names == sorted(["pinduoduo", "taobao", *good])


async def test_equal_content_makes_no_new_version(service: Session) -> None:
    created = await service.put("rules/mine", GOOD)
    assert created.status_code == 201
    again = await service.put("rules/mine", dict(reversed(GOOD.items())))
    assert again.status_code == 200
    assert again.json() == created.json()


async def test_each_change_raises_the_version(service: Session) -> None:
    for version, days in enumerate((7, 8, 7), 1):
        answer = await service.put("rules/mine", {**GOOD, "slow_days": days})
        assert answer.status_code == (201 if version == 1 else 200)
        assert answer.json() == {
            **GOOD,
            "slow_days": days,
            "name": "mine",
            "version": version,
            "built_in": False,
        }
        assert await service.read("rules/mine") == answer.json()
        assert (await service.read("rules"))["items"][0] == answer.json()


async def test_many_equal_puts_at_once_make_one_version(service: Session) -> None:
    answers = await asyncio.gather(*(service.put("rules/mine", GOOD) for _ in range(12)))
    assert {answer.json()["version"] for answer in answers} == {1}
    assert [answer.status_code for answer in answers].count(201) == 1


async def test_many_different_puts_at_once_number_their_versions(service: Session) -> None:
    bodies = [{**GOOD, "slow_days": days} for days in range(1, 13)]
    answers = await asyncio.gather(*(service.put("rules/mine", body) for body in bodies))
    assert sorted(answer.json()["version"] for answer in answers) == list(range(1, 13))
    newest = max((answer.json() for answer in answers), key=lambda rules: rules["version"])
    assert await service.read("rules/mine") == newest


async def test_rules_say_when_nothing_changed(service: Session) -> None:
    for path in ("rules", "rules/taobao"):
        first = await service.get(path)
        tag = {"if-none-match": first.headers["etag"]}
        assert (await service.client.get(f"/v1/{path}", headers=tag)).status_code == 304
        assert problem(await service.get(path, as_of="2026-01-01"), 400) == "bad_parameter"
