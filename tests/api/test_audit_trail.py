"""The audit trail: every administrative act is recorded with its change, and never altered."""

from datetime import timedelta

import asyncpg
import pytest

from api.audit import AuditFilters
from api.pages import cut_page
from domain.acts import COMMAND_LINE, Entry
from infra.postgres.audit_trail import AuditTrail
from infra.postgres.database import Database
from infra.postgres.keys import Keys
from tests.api.conftest import KeyHolder
from tests.api.samples import Client, event, open_shop, problem
from tests.attacks.operations import LADDER, SHOP, operations, rules
from tests.conftest import Clock
from tests.harness.postgres import execute


async def trail(database: Database, tenant: str = "acme", limit: int = 1_000) -> list[Entry]:
    """Return the entries of a tenant, oldest first."""
    result = await AuditTrail(database).page(await Keys(database).find_tenant(tenant), limit)
    return result[::-1]


async def raw(database: Database) -> list[tuple[str, list[str]]]:
    """Return what was done over HTTP, and to what."""
    entries = await trail(database)
    return [(entry.what, entry.on) for entry in entries if entry.who != COMMAND_LINE]


async def test_every_operation_that_changes_a_tenant_is_told(
    client: Client, database: Database, clock: Clock
) -> None:
    made = (await client.post("/v1/keys", json={"scopes": ["scores:read"]})).json()
    order = {"PUT": 0, "POST": 1, "DELETE": 2}
    changing = [
        item
        for item in operations()
        if item.scope in {"admin", "shops:write"} and item.method != "GET"
    ]
    for item in sorted(changing, key=lambda item: order[item.method]):
        before = len(await raw(database))
        path = {"key_id": made["id"]} if "key_id" in item.in_path else {}
        [body] = item.bodies.values() or [None]
        if item.name == "postShops":
            body = (body or b"").replace(b'"s"', b'"t"')
        answer = await client.request(
            item.method,
            item.target(path),
            content=body,
            headers={"content-type": "application/json"} if body else {},
        )
        assert answer.status_code < 300, (item.name, answer.text)
        entries = await trail(database)
        assert len(await raw(database)) == before + 1, item.name
        assert (entries[-1].what, entries[-1].at) == (item.name, clock.now)
        assert entries[-1].who == client.headers["authorization"].split("_")[1]


async def test_entries_name_what_was_changed(client: Client, database: Database) -> None:
    await client.put("/v1/shops/s", json=SHOP)
    await client.post("/v1/shops", json=[{"shop_id": name, **SHOP} for name in ("c", "b", "s")])
    await client.put("/v1/rules/own", json=rules())
    await client.put("/v1/ladders/taobao/baby", json=LADDER)
    await client.delete("/v1/ladders/taobao/baby")
    await client.post("/v1/peer-snapshots", json={"as_of": "2026-11-19"})
    made = (await client.post("/v1/keys", json={"scopes": ["admin"]})).json()
    await client.delete(f"/v1/keys/{made['id']}")
    assert await raw(database) == [
        ("putShop", ["s"]),
        ("postShops", ["b", "c"]),
        ("putRules", ["own", "version 1"]),
        ("putLadder", ["taobao/baby"]),
        ("deleteLadder", ["taobao/baby"]),
        ("postPeerSnapshot", ["2026-11-19"]),
        ("postKey", [made["id"]]),
        ("deleteKey", [made["id"]]),
    ]


async def test_what_changes_nothing_is_not_told(client: Client, database: Database) -> None:
    made = (await client.post("/v1/keys", json={"scopes": ["admin"]})).json()

    async def act() -> None:
        await client.put("/v1/shops/s", json=SHOP)
        await client.put("/v1/rules/own", json=rules())
        await client.put("/v1/ladders/taobao/baby", json=LADDER)
        await client.delete(f"/v1/keys/{made['id']}")

    await act()
    once = await raw(database)
    await act()
    await client.put("/v1/shops/t", json={**SHOP, "rules": "none"})
    await client.put("/v1/rules/taobao", json=rules())
    await client.delete("/v1/ladders/none/none")
    await client.delete(f"/v1/keys/{'0' * 16}")
    await client.post("/v1/events", json=event())
    await client.get("/v1/shops")
    assert await raw(database) == once


async def test_an_act_that_cannot_be_told_is_not_done(client: Client, database_url: str) -> None:
    await open_shop(client)
    await execute(database_url, "revoke insert on audit_trail from shopdsr_service")
    for method, path, body in (
        ("PUT", "/v1/shops/t", SHOP),
        ("PUT", "/v1/shops/s", {**SHOP, "category": "toys"}),
        ("PUT", "/v1/rules/own", rules()),
        ("PUT", "/v1/ladders/a/b", LADDER),
        ("POST", "/v1/peer-snapshots", {}),
        ("POST", "/v1/keys", {"scopes": ["admin"]}),
    ):
        answer = await client.request(method, path, json=body)
        assert problem(answer, 500) == "internal", path
    assert (await client.get("/v1/shops/t")).status_code == 404
    assert (await client.get("/v1/shops/s")).json()["category"] == "baby"
    assert (await client.get("/v1/rules/own")).status_code == 404
    assert (await client.get("/v1/ladders/a/b")).status_code == 404
    assert (await client.get("/v1/peer-snapshots")).json()["items"] == []
    assert len((await client.get("/v1/keys")).json()["items"]) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "update audit_trail set who = 'nobody'",
        "delete from audit_trail",
        "truncate audit_trail",
        "drop table audit_trail",
        """
        insert into audit_trail (tenant_id, at, entry, who, what, objects)
        overriding system value values (1, '2026-01-01', 1, 'a', 'b', '{}')
        on conflict (tenant_id, at, entry) do update set who = 'nobody'
        """,
    ],
)
async def test_the_service_can_only_add_and_read(
    client: Client, database: Database, statement: str
) -> None:
    await open_shop(client)
    async with database.connection() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)


async def test_no_secret_and_no_body_is_in_it(client: Client, database_url: str) -> None:
    made = (await client.post("/v1/keys", json={"scopes": ["admin"], "shop_ids": ["x-1"]})).json()
    await client.put("/v1/ladders/taobao/baby", json={**LADDER, "currency": "USD"})
    await client.put("/v1/shops/s", json={**SHOP, "category": "canary"})
    connection = await asyncpg.connect(database_url)
    try:
        text = await connection.fetchval("select string_agg(t::text, ' ') from audit_trail t")
    finally:
        await connection.close()
    secret = made["key"].split("_", 2)[2]
    assert all(word not in text for word in (secret, "USD", "canary", "x-1"))


async def test_tenants_have_trails_of_their_own_newest_first(
    client: Client, holder: KeyHolder, database: Database
) -> None:
    stranger = await holder(tenant="other")
    for number in range(5):
        await open_shop(client, f"mine-{number}")
    await open_shop(stranger, "theirs")
    assert [entry.on for entry in (await trail(database, "other"))[1:]] == [["theirs"]]
    newest = await AuditTrail(database).page(await Keys(database).find_tenant("acme"), 2)
    assert [entry.on for entry in newest] == [["mine-4"], ["mine-3"]]


async def test_the_trail_is_read_over_http_in_pages_newest_first(
    client: Client, database: Database
) -> None:
    for name in ("a", "b", "c"):
        await client.put(f"/v1/shops/{name}", json=SHOP)
    whole = (await client.get("/v1/audit")).json()
    assert [item["on"] for item in whole["items"][:3]] == [["c"], ["b"], ["a"]]
    assert whole["items"][0].keys() == {"at", "who", "what", "on"}
    assert whole["next_cursor"] is None
    assert len(whole["items"]) == len(await trail(database))
    page = (await client.get("/v1/audit?limit=1")).json()
    items = page["items"]
    while cursor := page["next_cursor"]:
        page = (await client.get(f"/v1/audit?limit=1&cursor={cursor}")).json()
        items += page["items"]
    assert items == whole["items"]


async def test_the_trail_of_a_span_of_days_is_that_of_days_in_utc(
    client: Client, clock: Clock
) -> None:
    noon = clock.now
    for day in range(3):
        clock.now = noon + timedelta(days=day)
        await client.put(f"/v1/shops/s-{day}", json=SHOP)
    for query, expected in (
        ("start=2026-11-22&end=2026-11-22", ["s-1"]),
        ("start=2026-11-22", ["s-2", "s-1"]),
        ("end=2026-11-20", []),
        ("start=2026-11-24", []),
    ):
        items = (await client.get(f"/v1/audit?{query}")).json()["items"]
        assert [name for item in items for name in item["on"]] == expected, query
    answer = await client.get("/v1/audit?start=2026-11-22&end=2026-11-21")
    assert problem(answer, 400) == "bad_parameter"


async def test_a_made_up_cursor_of_the_trail_is_refused(client: Client) -> None:
    for at, number in (("0001-01-01T00:00:00Z", 1), ("2026-11-21T12:00:00Z", -1)):
        _, cursor = cut_page([(at, number)] * 2, 1, AuditFilters(), tuple)
        answer = await client.get(f"/v1/audit?cursor={cursor}")
        assert problem(answer, 400) == "bad_parameter", (at, number)
