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
from tests.api.samples import DATA, NDJSON, Client, event
from tests.attacks.operations import Operation, body_values, operations, replaced

# What names something of a tenant, and what does not; the same word in a path, a query or a body.
IDS = {"shop_id", "shop_ids", "subject", "marketplace", "category", "name", "rules", "key_id"}
CURSOR = "cursor"
FACTS = {"review_id", "order_id", "buyer_id", "listing_id", "refund_id"}
PLAIN = {
    *("amounts", "as_of", "by", "code", "comment", "completed_at", "currency", "data", "days"),
    *(
        "description",
        "dimension",
        "end",
        "expires_at",
        "id",
        "kind",
        "limit",
        "logistics",
        "opened_on",
    ),
    *("scopes", "scores", "source", "specversion", "stars", "start", "state", "target", "time"),
    *("time_zone", "type", "view", "window_days"),
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
    """Every operation that needs a key, with every id; what only reads comes first."""
    order = {"GET": 0, "DELETE": 1, "PUT": 2, "POST": 3}
    for one in sorted(operations(), key=lambda one: order[one.method]):
        if one.scope is not None:
            yield from _cases(one)


def _cases(one: Operation) -> Iterator[Case]:
    media_types = list(one.bodies) or [""]
    good = one.bodies.get(media_types[0])
    text = None if good is None else good.decode()
    for name in one.in_path:
        yield Case(one, f"path {name}", one.target(path={name: HOLE}), media_types[0], text)
    if len(one.in_path) > 1:
        every = one.target(path=dict.fromkeys(one.in_path, HOLE))
        yield Case(one, "the whole path", every, media_types[0], text)
    for name in one.in_query:
        if name in IDS:
            target = one.target(query={name: HOLE})
            yield Case(one, f"query {name}", target, media_types[0], text)
    for media_type, raw in one.bodies.items():
        body = json.loads(raw)
        for place in body_values(body):
            names = [step for step in place if isinstance(step, str)]
            if names and names[-1] in IDS and not isinstance(_at(body, place), list):
                spoilt = replaced(body, place, f'"{HOLE}"'.encode()).decode()
                yield Case(one, f"body {names[-1]}", one.target(), media_type, spoilt)
        if one.name == "postEvents":
            for kind, data in DATA.items():
                sent = event(kind, data=marked(data, HOLE))
                text = json.dumps([sent] if "batch" in media_type else sent)
                yield Case(one, f"body ids of {kind}", one.target(), media_type, text)


def _at(body: Any, place: tuple[str | int, ...]) -> Any:
    for step in place:
        body = body[step]
    return body


def test_every_name_in_the_contract_is_said_to_be_an_id_or_not() -> None:
    named = {name for one in operations() for name in (*one.in_path, *one.in_query)}
    for one in operations():
        for raw in one.bodies.values():
            if one.name != "putRules":  # its fields are bounds, none of them an id
                places = body_values(json.loads(raw))
                named |= {step for place in places for step in place if isinstance(step, str)}
    assert named - IDS - PLAIN - FACTS - {CURSOR} == set()


def test_every_operation_that_takes_an_id_is_tried() -> None:
    tried = {case.operation.name for case in cases()}
    assert tried >= {one.name for one in operations() if one.scope and one.in_path}
    assert {"postEvents", "postShops", "postKey", "listScorecards", "listShops"} <= tried


async def settle(owner: Client) -> dict[str, str]:
    """Give the owner one of everything, marked; its ids, by what names them."""
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
    """Data of an event with every id in it replaced."""
    return {name: mark if name in FACTS else value for name, value in data.items()}


@pytest.fixture
async def owner(client: Client) -> Client:
    """The client of `acme`, to whom everything marked belongs."""
    return client


@pytest.fixture
async def stranger(holder: KeyHolder) -> Client:
    """A client that may do everything in a tenant of its own, where it has the shop `s`."""
    client = await holder(tenant="stranger")
    await _open(client)
    return client


async def _open(client: Client) -> None:
    shop = {"marketplace": "taobao", "category": "baby", "currency": "CNY"}
    assert (await client.put("/v1/shops/s", json=shop)).status_code == 201


async def test_ids_of_another_tenant_are_answered_as_if_absent_and_nothing_changes(
    owner: Client, stranger: Client, database_url: str
) -> None:
    ids = await settle(owner)
    before = await kept(database_url, "acme")
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
    assert await kept(database_url, "acme") == before


async def test_cursors_of_another_tenant_lead_to_ones_own(
    owner: Client, stranger: Client, database_url: str
) -> None:
    await settle(owner)
    before = await kept(database_url, "acme")
    for one in operations():
        if CURSOR not in one.in_query:
            continue
        target = one.target().replace("/s/", f"/{THEIRS}/").partition("?")[0]
        page = (await owner.get(f"{target}?limit=1")).json()
        cursor = page.get("next_cursor") or "bm9uZQ"
        for path in {target, target.replace(THEIRS, "s")}:
            answer = await stranger.get(f"{path}?cursor={quote(cursor)}")
            assert answer.status_code in {200, 400, 404}
            assert MARK not in answer.text.replace(path, ""), one.name
    assert await kept(database_url, "acme") == before


async def test_lists_show_nothing_of_another_tenant(owner: Client, stranger: Client) -> None:
    ids = await settle(owner)
    for one in operations():
        if one.method == "GET" and one.scope and not one.in_path:
            for client in (stranger, owner):
                answer = await client.get(one.target(query={"shop_id": THEIRS}).partition("?")[0])
                shows = MARK in answer.text or ids["key_id"] in answer.text
                expected = client is owner and one.name not in {
                    "listPeerSnapshots",  # has days and counts only
                    "listScorecards",  # needs to be told which
                }
                assert shows == expected, one.name


async def test_a_key_of_some_shops_meets_the_others_as_if_absent(
    owner: Client, holder: KeyHolder, database_url: str
) -> None:
    await settle(owner)
    await _open(owner)
    narrow = await holder(shop_ids=["s"])
    before = await kept(database_url, "acme", but={"audit_trail", "api_keys"})
    for case in cases():
        name = case.place.rpartition(" ")[2]
        if name in {"shop_id", "shop_ids", "subject"}:
            foreign, absent = [await ask(narrow, case, shop) for shop in (THEIRS, NOBODY)]
            what = (case.operation.name, case.place, foreign)
            assert (foreign[0], foreign[1].replace(THEIRS, NOBODY)) == absent, what
            assert foreign[0] != 201, what
    listed = (await narrow.get("/v1/shops")).text
    assert MARK not in listed
    assert await kept(database_url, "acme", but={"audit_trail", "api_keys"}) == before


async def ask(client: Client, case: Case, name: str) -> tuple[int, str]:
    """Status and body, without what differs between any two answers."""
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


async def kept(
    database_url: str, tenant: str, but: set[str] | None = None
) -> dict[str, tuple[int, str]]:
    """How many rows each table has of a tenant, and a digest of them."""
    connection = await asyncpg.connect(database_url)
    try:
        tenant_id = await connection.fetchval(TENANT, tenant)
        found: dict[str, tuple[int, str]] = {}
        for table, by_tenant in await connection.fetch(TABLES):
            if table in (but or ()):
                continue
            of = "tenant_id = $1" if by_tenant else f"shop_key in ({SHOPS})"
            count, digest = await connection.fetchrow(
                "select count(*), md5(coalesce(string_agg(t::text, '|' order by t::text), ''))"
                f" from {table} t where {of}",
                tenant_id,
            )
            found[table] = (count, digest)
        return found
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
