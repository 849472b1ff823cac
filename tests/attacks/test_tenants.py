"""Every operation with every kind of id of someone else: as if there were no such thing.

The cases are made from the contract: an operation or a parameter that is new to it is tried too,
once it has been said which names are ids.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import asyncpg
import msgspec
import pytest

from tests.api.conftest import KeyHolder
from tests.api.samples import DATA, NDJSON, SHOP, Client, event
from tests.attacks.operations import Operation, body_values, operations, replaced

# What names something of a tenant, and what does not; the same word in a path, a query or a body.
IDS = {"shop_id", "shop_ids", "subject", "marketplace", "category", "name", "rules", "key_id"}
CURSOR = "cursor"
FACTS = {"review_id", "order_id", "buyer_id", "listing_id", "refund_id"}
PLAIN = {
    *("amounts", "as_of", "by", "code", "comment", "completed_at", "currency", "data", "days"),
    *("description", "dimension", "end", "expires_at", "id", "kind", "limit", "logistics"),
    *("opened_on", "scopes", "scores", "source", "specversion", "stars", "start", "state"),
    *("target", "time", "time_zone", "type", "view", "window_days"),
}
VARIES = re.compile(
    r'"(request_id|id|key|created_at|revoked_at|taken_at|expires_at)":("[^"]*"|null)'
)

THEIRS = "theirs-4f1c"
NOBODY = "nobody-4f1c"
MARK = "4f1c"


class Case(msgspec.Struct, frozen=True):
    """One operation with one id of someone else in it; `hole` stands where the id goes."""

    operation: Operation
    place: str
    target: str
    media_type: str
    body: str | None


HOLE = "@hole@"


def cases() -> Iterator[Case]:
    """Yield every operation that needs a key, with every id; reads come first."""
    order = {"GET": 0, "DELETE": 1, "PUT": 2, "POST": 3}
    for operation in sorted(operations(), key=lambda operation: order[operation.method]):
        if operation.scope is not None:
            yield from _cases(operation)


def _cases(operation: Operation) -> Iterator[Case]:
    media_types = list(operation.bodies) or [""]
    good = operation.bodies.get(media_types[0])
    text = None if good is None else good.decode()
    for name in operation.in_path:
        yield Case(
            operation, f"path {name}", operation.target(path={name: HOLE}), media_types[0], text
        )
    if len(operation.in_path) > 1:
        every = operation.target(path=dict.fromkeys(operation.in_path, HOLE))
        yield Case(operation, "the whole path", every, media_types[0], text)
    for name in operation.in_query:
        if name in IDS:
            target = operation.target(query={name: HOLE})
            yield Case(operation, f"query {name}", target, media_types[0], text)
    for media_type, raw in operation.bodies.items():
        body = json.loads(raw)
        for place in body_values(body):
            names = [step for step in place if isinstance(step, str)]
            if names and names[-1] in IDS and not isinstance(_at(body, place), list):
                spoilt = replaced(body, place, f'"{HOLE}"'.encode()).decode()
                yield Case(operation, f"body {names[-1]}", operation.target(), media_type, spoilt)
        if operation.name == "postEvents":
            for kind, data in DATA.items():
                sent = event(kind, data=marked(data, HOLE))
                text = json.dumps([sent] if "batch" in media_type else sent)
                yield Case(operation, f"body ids of {kind}", operation.target(), media_type, text)


def _at(body: Any, place: tuple[str | int, ...]) -> Any:
    for step in place:
        body = body[step]
    return body


def test_every_name_in_the_contract_is_said_to_be_an_id_or_not() -> None:
    named = {
        name for operation in operations() for name in (*operation.in_path, *operation.in_query)
    }
    for operation in operations():
        for raw in operation.bodies.values():
            if operation.name != "putRules":  # its fields are bounds, none of them an id
                places = body_values(json.loads(raw))
                named |= {step for place in places for step in place if isinstance(step, str)}
    assert named - IDS - PLAIN - FACTS - {CURSOR} == set()


def test_every_operation_that_takes_an_id_is_tried() -> None:
    tried = {case.operation.name for case in cases()}
    assert tried >= {
        operation.name for operation in operations() if operation.scope and operation.in_path
    }
    assert {"postEvents", "postShops", "postKey", "listScorecards", "listShops"} <= tried


async def settle(owner: Client) -> dict[str, str]:
    """Give the owner one of everything, marked; return its ids, by what names them."""
    rules = (await owner.get("/v1/rules/taobao")).json()
    for name in ("name", "version", "built_in"):
        del rules[name]
    own_rules = {**rules, "rating_window_days": 90}
    assert (await owner.put(f"/v1/rules/{THEIRS}", json=own_rules)).status_code == 201
    ladder = {"currency": "CNY", "amounts": ["1", "2", "3", "4", "5", "6"]}
    assert (await owner.put(f"/v1/ladders/{THEIRS}/{THEIRS}", json=ladder)).status_code == 201
    for shop_id in (THEIRS, f"{THEIRS}-2"):
        shop = {"marketplace": THEIRS, "category": THEIRS, "currency": "CNY", "rules": THEIRS}
        assert (await owner.put(f"/v1/shops/{shop_id}", json=shop)).status_code == 201
    events = [
        event(kind, subject=THEIRS, id=f"{THEIRS}-{kind}", data=marked(data, THEIRS))
        for kind, data in DATA.items()
    ]
    sent = await owner.post("/v1/events", json=events)
    assert sent.json()["rejected"] == []
    assert (await owner.post("/v1/peer-snapshots", json={"as_of": "2026-11-19"})).status_code == 201
    made = (await owner.post("/v1/keys", json={"scopes": ["admin"]})).json()
    return {"key_id": made["id"]} | dict.fromkeys(IDS - {"key_id"}, THEIRS)


def marked(data: Mapping[str, Any], mark: str) -> dict[str, Any]:
    """Return data of an event with every id in it replaced."""
    return {name: mark if name in FACTS else value for name, value in data.items()}


@pytest.fixture
async def owner(client: Client) -> Client:
    """Return the client of `acme`, to whom everything marked belongs."""
    return client


@pytest.fixture
async def stranger(holder: KeyHolder) -> Client:
    """Make a client of another tenant, which has the shop `s`."""
    client = await holder(tenant="stranger")
    await _open(client)
    return client


async def _open(client: Client) -> None:
    assert (await client.put("/v1/shops/s", json=SHOP)).status_code == 201


async def test_ids_of_another_tenant_are_answered_as_if_absent_and_nothing_changes(
    owner: Client, stranger: Client, database_url: str
) -> None:
    ids = await settle(owner)
    before = await stored_rows(database_url, "acme")
    assert len(before) >= 15
    tried = 0
    for case in cases():
        theirs = ids["key_id"] if case.place == "path key_id" else THEIRS
        nobodys = "f" * len(theirs) if case.place == "path key_id" else NOBODY
        foreign, absent = [await ask(stranger, case, name) for name in (theirs, nobodys)]
        what = (case.operation.name, case.place, case.media_type, foreign)
        assert (foreign[0], foreign[1].replace(theirs, nobodys)) == absent, what
        tried += 1
    assert tried > 60
    assert await stored_rows(database_url, "acme") == before


async def test_cursors_of_another_tenant_lead_to_ones_own(
    owner: Client, stranger: Client, database_url: str
) -> None:
    await settle(owner)
    before = await stored_rows(database_url, "acme")
    for operation in operations():
        if CURSOR not in operation.in_query:
            continue
        target = operation.target().replace("/s/", f"/{THEIRS}/").partition("?")[0]
        page = (await owner.get(f"{target}?limit=1")).json()
        cursor = page.get("next_cursor") or "bm9uZQ"
        for path in {target, target.replace(THEIRS, "s")}:
            answer = await stranger.get(f"{path}?cursor={quote(cursor)}")
            assert answer.status_code in {200, 400, 404}
            assert MARK not in answer.text.replace(path, ""), operation.name
    assert await stored_rows(database_url, "acme") == before


async def test_lists_show_nothing_of_another_tenant(owner: Client, stranger: Client) -> None:
    ids = await settle(owner)
    for operation in operations():
        if operation.method == "GET" and operation.scope and not operation.in_path:
            for client in (stranger, owner):
                answer = await client.get(
                    operation.target(query={"shop_id": THEIRS}).partition("?")[0]
                )
                shows = MARK in answer.text or ids["key_id"] in answer.text
                expected = client is owner and operation.name not in {
                    "listPeerSnapshots",  # has days and counts only
                    "listScorecards",  # needs to be told which
                }
                assert shows == expected, operation.name


async def test_a_key_of_some_shops_meets_the_others_as_if_absent(
    owner: Client, holder: KeyHolder, database_url: str
) -> None:
    await settle(owner)
    await _open(owner)
    narrow = await holder(shop_ids=["s"])
    before = await stored_rows(database_url, "acme", but={"audit_trail", "api_keys"})
    for case in cases():
        name = case.place.rpartition(" ")[2]
        if name in {"shop_id", "shop_ids", "subject"}:
            foreign, absent = [await ask(narrow, case, shop) for shop in (THEIRS, NOBODY)]
            what = (case.operation.name, case.place, foreign)
            assert (foreign[0], foreign[1].replace(THEIRS, NOBODY)) == absent, what
            assert foreign[0] != 201, what
    listed = (await narrow.get("/v1/shops")).text
    assert MARK not in listed
    assert await stored_rows(database_url, "acme", but={"audit_trail", "api_keys"}) == before


async def ask(client: Client, case: Case, name: str) -> tuple[int, str]:
    """Return status and body, without what differs between any two responses."""
    body = None if case.body is None else case.body.replace(HOLE, name)
    answer = await client.request(
        case.operation.method,
        case.target.replace(HOLE, quote(name)),
        content=None if body is None else body.encode(),
        headers={"content-type": case.media_type} if case.media_type else {},
    )
    assert answer.status_code < 500, case
    if case.media_type == NDJSON:
        assert answer.status_code in {200, 207, 422}
    return answer.status_code, VARIES.sub(r'"\1":0', answer.text)


async def stored_rows(
    database_url: str, tenant: str, but: set[str] | None = None
) -> dict[str, tuple[int, str]]:
    """Return by table how many rows a tenant has, and a digest of them."""
    connection = await asyncpg.connect(database_url)
    try:
        tenant_id = await connection.fetchval(TENANT, tenant)
        digests: dict[str, tuple[int, str]] = {}
        for table, by_tenant in await connection.fetch(TABLES):
            if table in (but or ()):
                continue
            of = "tenant_id = $1" if by_tenant else f"shop_key in ({SHOPS})"
            count, digest = await connection.fetchrow(
                "select count(*), md5(coalesce(string_agg(t::text, '|' order by t::text), ''))"
                f" from {table} t where {of}",
                tenant_id,
            )
            digests[table] = (count, digest)
        return digests
    finally:
        await connection.close()


TENANT = "select tenant_id from tenants where name = $1"
SHOPS = "select shop_key from shops where tenant_id = $1"
TABLES = """
select t.table_name, bool_or(c.column_name = 'tenant_id')
from information_schema.tables t
join information_schema.columns c on c.table_name = t.table_name and c.table_schema = t.table_schema
where t.table_schema = 'public' and t.table_type = 'BASE TABLE'
group by t.table_name
having bool_or(c.column_name in ('tenant_id', 'shop_key'))
order by t.table_name
"""
