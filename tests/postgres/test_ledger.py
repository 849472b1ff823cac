"""The ledger keeps each fact once, whoever sends it, however often, and all at once."""

import asyncio
import random
from collections import Counter
from contextlib import AsyncExitStack

import msgspec
import pytest

from domain.errors import FieldError
from domain.facts import KINDS, Event
from domain.facts.listings import (
    ListingWithdrawn,
    NamedListing,
)
from domain.recording import UNKNOWN_SHOP, Refused, Submission
from domain.shops import Shop
from infra.postgres.batching_ledger import BatchingLedger
from infra.postgres.database import PoolLimits, open_database
from infra.postgres.ledger import columns_of
from tests.postgres.conftest import Storage, events_of, new_storage, published
from tests.reference.worlds import NOW, expected_verdicts, shuffled, world

WORLD = world(3, 250)


async def test_columns_of_facts_are_those_of_their_tables(storage: Storage) -> None:
    for kind in KINDS.values():
        async with storage.database.connection() as connection:
            prepared = await connection.prepare(f"select * from {kind.table}")
            columns = [attribute.name for attribute in prepared.get_attributes()]
        assert sorted(columns_of(kind)) == sorted(columns)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_totals_equal_a_recount_after_any_history(storage: Storage, seed: int) -> None:
    rng = random.Random(seed)
    scripted_world = world(seed, 200)
    await storage.open(scripted_world)
    stream = shuffled(scripted_world.events, seed)
    verdicts: list[str] = []
    while len(verdicts) < len(stream):
        batch = stream[len(verdicts) : len(verdicts) + rng.randint(1, 60)]
        outcomes = await storage.record(events_of(batch))
        verdicts += [
            outcome
            if not isinstance(outcome, Refused)
            else "conflict"
            if outcome.code == "conflict"
            else "refused"
            for outcome in outcomes
        ]
        if rng.random() < 0.2:
            await storage.roll(days=rng.choice([0, 1, 40]))
            assert await storage.differences() == []
    plain = {"stored", "duplicate", "conflict"}
    assert verdicts == [
        verdict if verdict in plain else "refused" for verdict in expected_verdicts(stream)
    ]
    assert await storage.differences() == []


def conflict(*pointers: str) -> Refused:
    """Return the refusal of an event that differs at these places."""
    detail = "Expected the value that is stored"
    return Refused("conflict", [FieldError(pointer, detail) for pointer in pointers])


CONFLICT = conflict("/data/title")


@pytest.mark.parametrize(
    "changed", [{"buyer_id": "another"}, {"completed_at": "2024-01-02T00:00:00Z"}]
)
async def test_a_review_sent_again_under_another_cap_is_a_conflict(
    storage: Storage, changed: dict[str, str]
) -> None:
    await storage.open(WORLD)
    [first, second, *_] = [
        sent.event
        for sent in WORLD.events
        if sent.code == "stored" and sent.event["type"] == "review.posted" and not sent.revision
    ]
    assert await storage.record([_review(first)]) == ["stored"]
    again = _review(first | {"data": first["data"] | changed})
    refused = conflict(*(f"/data/{name}" for name in changed))
    assert await storage.record([again, _review(second)]) == [refused, "stored"]
    assert await storage.differences() == []


def _review(sent: object) -> Event:
    event: Event = msgspec.convert(sent, Event)
    return event


async def test_any_order_and_any_batches_store_the_same(storage: Storage) -> None:
    await storage.open(WORLD)
    other = await new_storage(storage.database, storage.url, "other")
    await other.open(WORLD)
    await storage.record(events_of(WORLD.events))
    for sent in shuffled(WORLD.events, 4):
        await other.record(events_of([sent]))
    assert await other.stored() == await storage.stored()
    assert await other.facts() == await storage.facts()


@pytest.mark.parametrize("batched", [False, True], ids=["plain", "batched"])
async def test_writers_at_once_keep_each_fact_once(
    storage: Storage, database_url: str, *, batched: bool
) -> None:
    await storage.open(WORLD)
    alone = await new_storage(storage.database, storage.url, "alone")
    await alone.open(WORLD)
    good = [sent for sent in WORLD.events if sent.code == "stored"]
    await alone.record(events_of(good))

    async with AsyncExitStack() as stack:
        limits = PoolLimits(connections_max=3)
        pools = [
            await stack.enter_async_context(open_database(database_url, limits)) for _ in range(3)
        ]
        ledgers = [BatchingLedger((await new_storage(pool, database_url)).ledger) for pool in pools]

        async def write(writer: int) -> Counter[str | Refused]:
            rng = random.Random(writer)
            stream = events_of(rng.sample(good, len(good)))
            outcomes: Counter[str | Refused] = Counter()
            while stream:
                batch, stream = stream[: (size := rng.randint(1, 40))], stream[size:]
                submission = Submission(storage.tenant_id, None, batch)
                if batched:
                    answered = await ledgers[writer % 3].record(submission, NOW)
                else:
                    others = await new_storage(pools[writer % 3], database_url)
                    [answered] = await others.record_together(submission)
                outcomes.update(answered)
            return outcomes

        counted = await asyncio.gather(*(write(writer) for writer in range(6)))

    facts = {sent.fact for sent in good}
    versions = {(sent.fact, sent.revision) for sent in good}
    total = sum(counted, Counter())
    # Which versions are stored depends on how many higher ones came before.
    assert len(facts) <= total["stored"] <= len(versions)
    assert total == {"stored": total["stored"], "duplicate": 6 * len(good) - total["stored"]}
    assert await storage.facts() == len(facts)
    assert await storage.differences() == []
    assert await storage.stored() == await alone.stored()


SHOP = Shop("a", "taobao", "baby", "CNY", "Asia/Shanghai", "individual", None, "taobao")


def withdrawn(listing_id: str) -> Event:
    return ListingWithdrawn(
        specversion="1.0", id="1", source="s", subject="a", time=NOW, data=NamedListing(listing_id)
    )


async def test_a_batch_is_its_own_past(storage: Storage) -> None:
    await storage.shops.put(storage.act, [SHOP])
    batch = [published("l"), published("l"), published("l", title="other"), withdrawn("l")]
    assert await storage.record(batch) == ["stored", "duplicate", CONFLICT, "stored"]
    assert await storage.record(batch) == ["duplicate", "duplicate", CONFLICT, "duplicate"]


async def test_strict_takes_all_or_none_and_requests_beside_it_are_not_touched(
    storage: Storage,
) -> None:
    await storage.shops.put(storage.act, [SHOP])
    await storage.record([published("old")])
    before = Submission(storage.tenant_id, None, [published("before")])
    other = published("old", title="other")
    refused = Submission(storage.tenant_id, None, [published("new"), other], strict=True)
    taken = Submission(storage.tenant_id, None, [published("new"), published("next")], strict=True)
    assert await storage.record_together(before, refused, taken) == [
        ["stored"],
        ["stored", CONFLICT],
        ["stored", "stored"],
    ]
    assert await storage.record_together(refused) == [["duplicate", CONFLICT]]
    assert await storage.facts() == 4
    assert await storage.differences() == []


async def test_a_strict_request_that_is_refused_stores_nothing(storage: Storage) -> None:
    await storage.shops.put(storage.act, [SHOP])
    events = [published("a"), Refused("malformed"), published("b")]
    submission = Submission(storage.tenant_id, None, events, strict=True)
    assert await storage.record_together(submission) == [["stored", Refused("malformed"), "stored"]]
    assert await storage.facts() == 0


async def test_tenants_in_one_transaction_share_nothing(storage: Storage) -> None:
    other = await new_storage(storage.database, storage.url, "other")
    await storage.shops.put(storage.act, [SHOP])
    await other.shops.put(other.act, [msgspec.structs.replace(SHOP, time_zone="UTC")])
    batch = [published("l")]
    outcomes = await storage.record_together(
        Submission(storage.tenant_id, None, batch),
        Submission(other.tenant_id, None, [published("l", title="other"), *batch]),
        Submission(other.tenant_id, frozenset({"b"}), batch),
        Submission(storage.tenant_id, frozenset({"a"}), [*batch, published("l", shop_id="b")]),
    )
    assert outcomes == [
        ["stored"],
        ["stored", CONFLICT],
        [UNKNOWN_SHOP],
        ["duplicate", UNKNOWN_SHOP],
    ]
    assert (await storage.facts(), await other.facts()) == (1, 1)
    assert await storage.differences() == []


async def test_a_request_of_nothing_is_answered_with_nothing(storage: Storage) -> None:
    assert await storage.record_together() == []
    assert await storage.record([]) == []
    assert await storage.record([Refused("malformed")]) == [Refused("malformed")]
