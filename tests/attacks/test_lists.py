"""Every list of the contract, of a tenant that has stored as much as it may: in bounded pages."""

import asyncio
import json
from collections.abc import Mapping
from typing import get_args

import asyncpg
import pytest

from api.keys import SHOPS_OF_KEY_MAX
from api.ports import Limits
from api.shops import SHOPS_MAX
from domain.names import Comment, Title
from tests.api.samples import DATA, JSON, SHOP, event
from tests.attacks.conftest import World
from tests.attacks.operations import Operation, operations, rules
from tests.attacks.test_bombs import ask_at_once
from tests.harness.raw_socket import raw_headers
from tests.harness.server import Server

PAGE_ITEMS = 500
PAGE_MIB_MAX = 32
EVENTS_AT_ONCE = 100
"""Each up to 40 KB; a batch may have 8 MiB."""
AT_ONCE = 6
GROWTH_MIB_MAX = 400.0
STORED_MAX = Limits().definitions_max
DAYS = 600
VERSIONS = 5_000
WIDE = "\U0001f600"

FILL: Mapping[str, str] = {
    "keys": f"""
        insert into api_keys (key_id, tenant_id, secret_sha256, scopes, shop_ids, created_at)
        select 'k' || n, tenant_id, '', '{{admin}}',
            array(select lpad(i::text, 64, 's') from generate_series(1, {SHOPS_OF_KEY_MAX}) i),
            timestamptz '2026-01-01Z'
        from tenants, generate_series(1, {STORED_MAX}) n where name = 'acme'
    """,
    "rules": f"""
        insert into rule_versions (tenant_id, name, version, rules)
        select tenant_id, lpad(n::text, 64, 'r'), 1, $1::jsonb
        from tenants, generate_series(1, {STORED_MAX}) n where name = 'acme'
        union all
        select tenant_id, lpad('1', 64, 'r'), n, $1::jsonb
        from tenants, generate_series(2, {VERSIONS}) n where name = 'acme'
    """,
    "audit": f"""
        insert into audit_trail (tenant_id, at, who, what, objects)
        select tenant_id, timestamptz '2026-01-01Z', 'k', 'postShops',
            array(select lpad(i::text, 64, 's') from generate_series(1, {SHOPS_MAX}) i)
        from tenants, generate_series(1, {DAYS}) n where name = 'acme'
    """,
    "snapshots": f"""
        insert into peer_snapshots (tenant_id, as_of, taken_at, metrics, shops, groups)
        select tenant_id, date '2024-01-01' + n, timestamptz '2026-01-01Z', '{{}}', 1, 1
        from tenants, generate_series(1, {DAYS}) n where name = 'acme'
    """,
}


def lists() -> list[Operation]:
    """Return the operations whose answers are pages."""
    return [operation for operation in operations() if "cursor" in operation.in_query]


@pytest.fixture(scope="module", autouse=True)
def filled(world: World, server: Server, key: str) -> None:
    """Store as much as a page of every list can hold, and more."""

    async def insert() -> None:
        connection = await asyncpg.connect(world.database_url)
        for name, statement in FILL.items():
            await connection.execute(statement, *([json.dumps(rules())] if name == "rules" else []))
        await connection.close()

    comment, title = (get_args(text)[1].max_length * WIDE for text in (Comment, Title))
    shops = [{"shop_id": f"{number:064}", **SHOP} for number in range(PAGE_ITEMS)]
    events = [
        event(kind, id=f"{kind}-{number}", data={**changes, name: f"{number:064}"})
        for number in range(PAGE_ITEMS + 1)
        for kind, name, changes in (
            ("review.posted", "review_id", {"comment": comment, "buyer_id": str(number)}),
            ("listing.published", "listing_id", {"title": title}),
        )
    ]
    assert {item["type"] for item in events} <= DATA.keys()
    asyncio.run(insert())
    with server.raw_socket(timeout_s=60) as connection:
        for target, body in (
            ("/v1/shops", [{"shop_id": "s", **SHOP}, *shops]),
            *(
                ("/v1/events", events[first : first + EVENTS_AT_ONCE])
                for first in range(0, len(events), EVENTS_AT_ONCE)
            ),
        ):
            answer = connection.request(
                "POST",
                target,
                raw_headers(key, JSON),
                json.dumps(body, ensure_ascii=False).encode(),
            )
            assert answer.status == 200, answer.body[:500]


@pytest.mark.parametrize("operation", lists(), ids=lambda operation: operation.name)
def test_the_longest_pages_take_bounded_memory_and_keep_no_one_waiting(
    server: Server, key: str, operation: Operation
) -> None:
    target = operation.path.replace("{shop_id}", "s") + f"?limit={PAGE_ITEMS}"
    answers = ask_at_once(
        server,
        AT_ONCE,
        lambda connection: connection.request("GET", target, raw_headers(key)),
        GROWTH_MIB_MAX,
    )
    assert [answer.status for answer in answers] == [200] * AT_ONCE
    page = json.loads(answers[0].body)
    assert page["next_cursor"], "the list is not full"
    assert len(page["items"]) <= PAGE_ITEMS
    assert len(answers[0].body) < PAGE_MIB_MAX << 20


def test_every_list_is_tried() -> None:
    assert {operation.name for operation in lists()} >= {
        *("listKeys", "listRules", "listShops", "listPeerSnapshots", "listReviews"),
        "listListings",
    }
