"""The ledger keeps each fact once, whoever sends it, however often, and all at once."""

import asyncio
import random
from collections import Counter
from contextlib import AsyncExitStack

import msgspec
import pytest

from domain.facts import KINDS, Event
from domain.facts.listings import (
    ListingPublished,
    ListingWithdrawn,
    NamedListing,
    PublishedListing,
)
from domain.recording import CONFLICT, UNKNOWN_SHOP, Refused, Submission
from domain.shops import Shop
from infra.postgres.batching_ledger import BatchingLedger
from infra.postgres.database import PoolLimits, open_database
from infra.postgres.ledger import columns_of
from tests.postgres.conftest import Books, events_of, new_books
from tests.reference.worlds import NOW, expected_verdicts, shuffled, world

WORLD = world(3, 250)


async def test_columns_of_facts_are_those_of_their_tables(books: Books) -> None:
    for kind in KINDS.values():
        async with books.database.connection() as connection:
            prepared = await connection.prepare(f"select * from {kind.table}")
            columns = [attribute.name for attribute in prepared.get_attributes()]
        assert sorted(columns_of(kind)) == sorted(columns)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_totals_equal_a_recount_after_any_history(books: Books, seed: int) -> None:
    rng = random.Random(seed)
    scripted_world = world(seed, 200)
    await books.open(scripted_world)
    stream = shuffled(scripted_world.events, seed)
    verdicts: list[str | Refused] = []
    while len(verdicts) < len(stream):
        batch = stream[len(verdicts) : len(verdicts) + rng.randint(1, 60)]
        outcomes = await books.record(events_of(batch))
        verdicts += ["refused" if isinstance(o, Refused) and o != CONFLICT else o for o in outcomes]
        if rng.random() < 0.2:
            await books.roll(days=rng.choice([0, 1, 40]))
            assert await books.differences() == []
    plain = {"stored": "stored", "duplicate": "duplicate", "conflict": CONFLICT}
    assert verdicts == [plain.get(verdict, "refused") for verdict in expected_verdicts(stream)]
    assert await books.differences() == []


@pytest.mark.parametrize(
    "changed", [{"buyer_id": "another"}, {"completed_at": "2024-01-02T00:00:00Z"}]
)
async def test_a_review_sent_again_under_another_cap_is_a_conflict(
    books: Books, changed: dict[str, str]
) -> None:
    await books.open(WORLD)
    [first, second, *_] = [
        sent.event
        for sent in WORLD.events
        if sent.code == "stored" and sent.event["type"] == "review.posted"
    ]
    assert await books.record([_review(first)]) == ["stored"]
    again = _review(first | {"data": first["data"] | changed})
    assert await books.record([again, _review(second)]) == [CONFLICT, "stored"]
    assert await books.differences() == []


def _review(sent: object) -> Event:
    event: Event = msgspec.convert(sent, Event)
    return event


async def test_any_order_and_any_batches_store_the_same(books: Books) -> None:
    await books.open(WORLD)
    other = await new_books(books.database, books.url, "other")
    await other.open(WORLD)
    await books.record(events_of(WORLD.events))
    for sent in shuffled(WORLD.events, 4):
        await other.record(events_of([sent]))
    assert await other.stored() == await books.stored()
    assert await other.facts() == await books.facts()


@pytest.mark.parametrize("batched", [False, True], ids=["plain", "batched"])
async def test_writers_at_once_keep_each_fact_once(
    books: Books, database_url: str, *, batched: bool
) -> None:
    await books.open(WORLD)
    alone = await new_books(books.database, books.url, "alone")
    await alone.open(WORLD)
    good = [sent for sent in WORLD.events if sent.code == "stored"]
    await alone.record(events_of(good))

    async with AsyncExitStack() as stack:
        limits = PoolLimits(connections_max=3)
        pools = [
            await stack.enter_async_context(open_database(database_url, limits)) for _ in range(3)
        ]
        ledgers = [BatchingLedger((await new_books(pool, database_url)).ledger) for pool in pools]

        async def write(writer: int) -> Counter[str | Refused]:
            rng = random.Random(writer)
            stream = events_of(rng.sample(good, len(good)))
            outcomes: Counter[str | Refused] = Counter()
            while stream:
                batch, stream = stream[: (size := rng.randint(1, 40))], stream[size:]
                submission = Submission(books.tenant_id, None, batch)
                if batched:
                    answered = await ledgers[writer % 3].record(submission, NOW)
                else:
                    others = await new_books(pools[writer % 3], database_url)
                    [answered] = await others.record_together(submission)
                outcomes.update(answered)
            return outcomes

        counted = await asyncio.gather(*(write(writer) for writer in range(6)))

    facts = len({sent.fact for sent in good})
    assert sum(counted, Counter()) == {"stored": facts, "duplicate": 6 * len(good) - facts}
    assert await books.facts() == facts
    assert await books.differences() == []
    assert await books.stored() == await alone.stored()


SHOP = Shop("a", "taobao", "baby", "CNY", "Asia/Shanghai", "individual", None, "taobao")


def published(listing_id: str, *, shop_id: str = "a", title: str | None = None) -> Event:
    return ListingPublished(
        specversion="1.0",
        id="1",
        source="s",
        subject=shop_id,
        time=NOW,
        data=PublishedListing(listing_id, title),
    )


def withdrawn(listing_id: str) -> Event:
    return ListingWithdrawn(
        specversion="1.0", id="1", source="s", subject="a", time=NOW, data=NamedListing(listing_id)
    )


async def test_a_batch_is_its_own_past(books: Books) -> None:
    await books.shops.put(books.act, [SHOP])
    batch = [published("l"), published("l"), published("l", title="other"), withdrawn("l")]
    assert await books.record(batch) == ["stored", "duplicate", CONFLICT, "stored"]
    assert await books.record(batch) == ["duplicate", "duplicate", CONFLICT, "duplicate"]


async def test_strict_takes_all_or_none_and_requests_beside_it_are_not_touched(
    books: Books,
) -> None:
    await books.shops.put(books.act, [SHOP])
    await books.record([published("old")])
    before = Submission(books.tenant_id, None, [published("before")])
    conflict = published("old", title="other")
    refused = Submission(books.tenant_id, None, [published("new"), conflict], strict=True)
    taken = Submission(books.tenant_id, None, [published("new"), published("next")], strict=True)
    assert await books.record_together(before, refused, taken) == [
        ["stored"],
        ["stored", CONFLICT],
        ["stored", "stored"],
    ]
    assert await books.record_together(refused) == [["duplicate", CONFLICT]]
    assert await books.facts() == 4
    assert await books.differences() == []


async def test_a_strict_request_that_is_refused_stores_nothing(books: Books) -> None:
    await books.shops.put(books.act, [SHOP])
    events = [published("a"), Refused("malformed"), published("b")]
    submission = Submission(books.tenant_id, None, events, strict=True)
    assert await books.record_together(submission) == [["stored", Refused("malformed"), "stored"]]
    assert await books.facts() == 0


async def test_tenants_in_one_transaction_share_nothing(books: Books) -> None:
    other = await new_books(books.database, books.url, "other")
    await books.shops.put(books.act, [SHOP])
    await other.shops.put(other.act, [msgspec.structs.replace(SHOP, time_zone="UTC")])
    batch = [published("l")]
    outcomes = await books.record_together(
        Submission(books.tenant_id, None, batch),
        Submission(other.tenant_id, None, [published("l", title="other"), *batch]),
        Submission(other.tenant_id, frozenset({"b"}), batch),
        Submission(books.tenant_id, frozenset({"a"}), [*batch, published("l", shop_id="b")]),
    )
    assert outcomes == [
        ["stored"],
        ["stored", CONFLICT],
        [UNKNOWN_SHOP],
        ["duplicate", UNKNOWN_SHOP],
    ]
    assert (await books.facts(), await other.facts()) == (1, 1)
    assert await books.differences() == []


async def test_a_request_of_nothing_is_answered_with_nothing(books: Books) -> None:
    assert await books.record_together() == []
    assert await books.record([]) == []
    assert await books.record([Refused("malformed")]) == [Refused("malformed")]
