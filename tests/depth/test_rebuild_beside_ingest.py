"""While one shop is rebuilt, the others go on recording."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest

from infra.postgres import rule_sets
from infra.postgres.recount import recount
from tests.depth.session import Session, rating
from tests.reference.rules import BUILT_IN

CHANGED = {**BUILT_IN["taobao"], "ratings_per_buyer_month": 1}


class Rebuild:
    """A rebuild of the shop `busy` that waits until it is released."""

    def __init__(self, service: Session, monkeypatch: pytest.MonkeyPatch) -> None:
        """Make rebuilds wait with their shop locked."""
        self._service = service
        self._begun, self._go_on = asyncio.Event(), asyncio.Event()
        self.finished: list[str] = []

        async def recount_then_wait(*arguments: Any) -> Any:
            self._begun.set()
            counted = await recount(*arguments)
            await self._go_on.wait()
            return counted

        monkeypatch.setattr(rule_sets, "recount", recount_then_wait)

    async def note(self, name: str, work: Awaitable[object]) -> None:
        """Await some work, and note its end."""
        await work
        self.finished.append(name)

    async def begin(self) -> asyncio.Task[None]:
        """Change the rules, and return once `busy` is locked."""
        putting = self.note("rules", self._service.put("rules/mine", CHANGED))
        task = asyncio.create_task(putting)
        await self._begun.wait()
        return task

    def release(self) -> None:
        """Release the rebuild."""
        self._go_on.set()


@pytest.fixture
async def rebuild(service: Session, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rebuild]:
    """Open three shops; the rules of `busy` and `other` will change."""
    await service.put("rules/mine", BUILT_IN["taobao"])
    for shop_id, rules in (("busy", "mine"), ("other", "mine"), ("third", "taobao")):
        shop = {"marketplace": "m", "category": "c", "currency": "CNY", "rules": rules}
        await service.put(f"shops/{shop_id}", shop)
    await service.post([rating("busy", number) for number in range(3_000)])
    rebuild = Rebuild(service, monkeypatch)
    yield rebuild
    rebuild.release()


async def test_other_shops_record_while_a_shop_is_rebuilt(
    service: Session, rebuild: Rebuild
) -> None:
    putting = await rebuild.begin()
    for shop_id in ("other", "third"):
        await rebuild.note(shop_id, service.post([rating(shop_id, 1)]))
    assert rebuild.finished == ["other", "third"]
    rebuild.release()
    await putting
    uncounted = (await service.read("shops/busy/dsr"))["dsr"]["uncounted"]
    assert uncounted == {"late": 0, "capped": 2_000, "removed": 0}
    assert await service.differences() == []


async def test_who_waits_for_the_shop_that_is_rebuilt_keeps_no_other_shop_waiting(
    service: Session, rebuild: Rebuild
) -> None:
    putting = await rebuild.begin()
    busy = rebuild.note("busy", service.post([rating("busy", 50_000)]))
    waiting = asyncio.create_task(busy)
    try:
        await asyncio.sleep(0)
        async with asyncio.timeout(5):
            await rebuild.note("third", service.post([rating("third", 1)]))
        assert rebuild.finished == ["third"]
    finally:
        rebuild.release()
        await asyncio.gather(putting, waiting)
