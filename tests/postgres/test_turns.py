"""Nothing computes for long at a time, however much is stored of one shop or one id."""

from domain.rules import PINDUODUO
from tests.harness.postgres import execute
from tests.harness.turns import TURN_MS_MAX, measured_turns
from tests.postgres.conftest import Storage
from tests.postgres.test_shop_cache import SHOP

RATINGS = 30_000

STORED = f"""
insert into ratings (
    shop_key, review_id, buyer_id, month, time, day, service, order_id, state
)
select
    1, 'r-' || lpad(n::text, 7, '0'), 'eager', '2026-11-01',
    timestamptz '2026-11-01 00:00Z' + n * interval '1 second', '2026-11-01', 5, 'o-' || n, 0
from generate_series(1, {RATINGS}) n
"""


async def test_a_buyer_of_many_ratings_is_replayed_and_recounted_in_short_turns(
    storage: Storage,
) -> None:
    await storage.shops.put(storage.act, [SHOP])
    stored = await storage.shops.get(storage.tenant_id, SHOP.shop_id)
    assert stored.shop_key == 1
    await execute(storage.url, STORED)
    with measured_turns(of_this_thread=True) as turns:
        days = await storage.scores.replay(stored.key, PINDUODUO)
    assert [sum(totals) for totals in days.values()] == [RATINGS]
    assert turns.longest_ms < TURN_MS_MAX
    with measured_turns(of_this_thread=True) as turns:
        await storage.differences(mend=True)
    assert turns.longest_ms < TURN_MS_MAX
    assert await storage.differences() == []
