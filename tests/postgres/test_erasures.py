"""Erasures among revisions and retractions: what is stored is what the reference says."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import pytest

from domain.facts import KINDS
from domain.recording import Refused
from domain.rules import Rules
from domain.shops import Shop
from domain.totals import RatingState
from tests.postgres.conftest import Storage, fetch
from tests.postgres.test_revisions import RULES as REVISED
from tests.postgres.test_revisions import decoded, revised_events
from tests.reference.rules import Json
from tests.reference.scores import Reference
from tests.reference.worlds import NOW

RULES = REVISED | {"rating_deadline_days": None}
MONTHS = ("2024-10-20T00:00:00Z", "2024-11-01T00:00:00Z")
BUYERS = ("b", "b-1", "b-2")
SHOPS = [
    Shop(shop_id, "taobao", "baby", "CNY", "Asia/Shanghai", "individual", None, "own")
    for shop_id in ("a", "c")
]


@dataclass(frozen=True)
class Erased:
    """A buyer is erased."""

    buyer_id: str


def acts(seed: int, size: int) -> Iterator[list[Json] | Erased]:
    """Yield batches of revisions, whose texts and buyers vary, and erasures between."""
    rng = random.Random(seed)
    batch: list[Json] = []
    for event in revised_events(seed, size):
        data = json.loads(json.dumps(event["data"]))
        named = data.get("identity", data)
        if "review_id" in named:
            named["review_id"] += rng.choice("xyz")
        elif rng.random() < 0.7:
            continue
        if "identity" not in data:
            if event["type"] == "review.posted":
                content = random.Random(f"{data['review_id']} {data['revision']}")
                data["completed_at"] = content.choice(MONTHS)
                data["comment"] = rng.choice(["same", "same", "other", None])
            if "note" in data:
                data["note"] = rng.choice(["same", "same", "other", None])
            if "buyer_id" in data and rng.random() < 0.2:
                data["buyer_id"] = rng.choice(BUYERS)
        batch.append(event | {"data": data, "subject": rng.choice("aaaac")})
        if rng.random() < 0.15:
            yield batch
            batch = []
            if rng.random() < 0.15:
                yield Erased(rng.choice(BUYERS))
    yield batch


async def buyers(storage: Storage) -> set[str]:
    """Return the buyers of ratings and orders."""
    query = "select buyer_id from ratings union select buyer_id from orders"
    return {buyer_id for (buyer_id,) in await fetch(storage.url, query)}


async def ratings(storage: Storage) -> dict[tuple[str, str], tuple[str, str | None, str]]:
    """Return buyer, comment and state of the ratings that are not retracted."""
    rows = await fetch(
        storage.url,
        "select shop_id, review_id, buyer_id, comment, state from ratings"
        " join shops using (shop_key) where day is not null",
    )
    return {
        (shop_id, review_id): (buyer_id, comment, RatingState(state).name.lower())
        for shop_id, review_id, buyer_id, comment, state in rows
    }


def expected_ratings(
    reference: Reference,
) -> dict[tuple[str, str], tuple[str, str | None, str]]:
    """Return buyer, comment and state of the ratings that the reference shows."""
    return {
        (shop_id, item["review_id"]): (item["buyer_id"], item["comment"], item["state"])
        for shop_id in reference.shop_ids
        for item in reference.reviews(shop_id)["items"]
    }


@pytest.mark.parametrize("seed", range(4))
async def test_erasures_among_revisions_on_two_workers_store_what_the_reference_says(
    storage: Storage, seed: int
) -> None:
    rng = random.Random(seed)
    workers = [storage, Storage(storage.database, storage.url, storage.tenant_id, storage.now)]
    reference = Reference(NOW)
    reference.put_rules("own", RULES)
    await storage.rules.put(storage.act, "own", msgspec.convert(RULES, Rules), 10)
    await storage.shops.put(storage.act, SHOPS)
    for shop in SHOPS:
        reference.put_shop(msgspec.to_builtins(shop))
    for act in acts(seed, 600):
        worker = rng.choice(workers)
        if isinstance(act, Erased):
            before = await storage.stored()
            erased = await worker.erasures.erase(worker.act, act.buyer_id)
            assert erased == reference.erase(act.buyer_id)
            assert await storage.stored() == before
            assert act.buyer_id not in await buyers(storage)
        else:
            verdicts = [reference.receive(event) for event in act]
            outcomes = await worker.record(decoded(act))
            assert [o.code if isinstance(o, Refused) else o for o in outcomes] == verdicts
        assert await storage.differences() == []
        stored, expected = await ratings(storage), expected_ratings(reference)
        names = {expected[key][0]: stored[key][0] for key in expected.keys() & stored.keys()}
        assert len(set(names.values())) == len(names)
        assert stored == {key: (names[of[0]], *of[1:]) for key, of in expected.items()}
        assert all(new == old for old, new in names.items() if not str(old).startswith("erased"))


async def test_no_samples_are_taken_of_what_is_erased(database_url: str) -> None:
    rows = await fetch(
        database_url,
        "select attrelid::regclass::text, attname from pg_attribute where attstattarget = 0",
    )
    erased = {(kind.table, column) for kind in KINDS.values() for column in kind.erased}
    assert erased <= {tuple(row) for row in rows}
