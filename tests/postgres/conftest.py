"""The ports on a database, and worlds of invented shops in them."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import asyncpg
import msgspec
import pytest

from domain.acts import COMMAND_LINE, Act
from domain.counters import FIELDS
from domain.facts import KINDS, Event
from domain.facts.listings import ListingPublished, PublishedListing
from domain.recording import Outcome, Refused, Submission
from domain.rules import Rules
from domain.shops import IdentifiedDraft, Shop
from infra.postgres.database import Database
from infra.postgres.erasures import Erasures
from infra.postgres.keys import Keys
from infra.postgres.ledger import Ledger
from infra.postgres.rule_sets import RuleSets
from infra.postgres.rules import RulesCache
from infra.postgres.scores import Scores
from infra.postgres.shop_cache import ShopCache
from infra.postgres.shops import Shops
from infra.postgres.verification import Verification
from tests.reference.worlds import NOW, Sent, World

TOTALS = ("daily_totals", "counter_days", "listing_days", "shop_totals")


class Storage:
    """The ports on one database, and one tenant's world in them."""

    def __init__(self, database: Database, url: str, tenant_id: int, now: datetime) -> None:
        shop_cache = ShopCache(database, RulesCache())
        self.database = database
        self.url = url
        self.tenant_id = tenant_id
        self.now = now
        self.ledger = Ledger(database, shop_cache)
        self.shops = Shops(database, shop_cache, 10_000)
        self.erasures = Erasures(database, shop_cache)
        self.rules = RuleSets(database, shop_cache)
        self.scores = Scores(database, shop_cache)
        self.verification = Verification(database, shop_cache)

    @property
    def act(self) -> Act:
        """Return the act of a test."""
        return Act(self.tenant_id, COMMAND_LINE, "test", self.now)

    async def open(self, world: World) -> None:
        """Put the rules and shops of a world."""
        for name, fields in world.rules.items():
            rules = msgspec.convert(fields, Rules)
            await self.rules.put(self.act, name, rules, 1_000)
        await self.shops.put(self.act, shops_of(world))

    async def record(self, events: Sequence[Event | Refused]) -> list[Outcome]:
        """Record one request of a key that reaches every shop."""
        submission = Submission(self.tenant_id, None, events)
        [outcomes] = await self.record_together(submission)
        return outcomes

    async def record_together(self, *submissions: Submission) -> list[list[Outcome]]:
        """Record requests in one transaction."""
        batches = [await self.ledger.prepare(submission, self.now) for submission in submissions]
        return await self.ledger.record(batches)

    async def roll(self, days: int = 0) -> None:
        """Let days pass, and bring running totals up to the new day."""
        self.now += timedelta(days=days)
        await self.scores.roll(self.now)

    async def differences(self, *, mend: bool = False) -> list[str]:
        """Return the tables in which verification finds differences from the facts."""
        return sorted(
            {
                difference.table
                async for shop in self.verification.shops(self.now, mend=mend)
                for difference in shop.differences
            }
        )

    async def facts(self) -> int:
        """Return the number of stored facts of the tenant's shops."""
        count = 0
        for kind in KINDS.values():
            query = f"select count(*) from {kind.table} join shops using (shop_key)"
            [row] = await self._rows(query)
            count += row[0]
        return count

    async def stored(self) -> dict[str, list[list[tuple[str, object]]]]:
        """Return everything computed from the facts, by table, without days of zeros."""
        rows_by_table = {
            table: await self._rows(
                f"select shop_id, t.* from {table} t join shops using (shop_key)"
            )
            for table in TOTALS
        }
        states = "select shop_id, review_id, state from ratings join shops using (shop_key)"
        rows_by_table["states"] = await self._rows(states)
        return {
            table: sorted(
                [(name, value) for name, value in row.items() if name not in _INTERNAL]
                for row in rows
                if any(row[count] for count in _COUNTS.get(table, row.keys()))
            )
            for table, rows in rows_by_table.items()
        }

    async def _rows(self, query: str) -> list[asyncpg.Record]:
        return await fetch(self.url, f"{query} where shops.tenant_id = {self.tenant_id}")


_INTERNAL = {"tenant_id", "shop_key"}
_COUNTS: dict[str, Sequence[str]] = {"daily_totals": FIELDS, "counter_days": ("n",)}


@pytest.fixture
async def storage(database: Database, database_url: str) -> Storage:
    """Return the ports, at the instant of the worlds."""
    return await new_storage(database, database_url)


async def new_storage(database: Database, url: str, tenant: str = "acme") -> Storage:
    """Return ports that share no memory with others, as those of another process."""
    return Storage(database, url, await Keys(database).make_tenant(tenant), NOW)


async def fetch(url: str, query: str) -> list[asyncpg.Record]:
    """Return rows as the owner of the database sees them."""
    connection = await asyncpg.connect(url)
    try:
        rows: list[asyncpg.Record] = await connection.fetch(query)
        return rows
    finally:
        await connection.close()


def published(
    listing_id: str, shop_id: str = "a", title: str | None = None, time: datetime = NOW
) -> Event:
    """Return the publication of a listing."""
    return ListingPublished(
        specversion="1.0",
        id="1",
        source="/tests",
        subject=shop_id,
        time=time,
        data=PublishedListing(listing_id, title),
    )


def shops_of(world: World) -> list[Shop]:
    """Return the shops of a world."""
    drafts = msgspec.convert(world.shops, list[IdentifiedDraft])
    return [draft.named(draft.shop_id) for draft in drafts]


def events_of(stream: Iterable[Sent]) -> list[Event | Refused]:
    """Return a stream as the ledger gets it, with invalid events refused."""
    return [_event(sent.event) for sent in stream]


def _event(sent: object) -> Event | Refused:
    try:
        event: Event = msgspec.json.decode(msgspec.json.encode(sent), type=Event)
    except msgspec.ValidationError:
        return Refused("malformed")
    return event
