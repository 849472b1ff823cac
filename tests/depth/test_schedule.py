"""Background work goes on after a failure, and ends with the service."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from api.ports import Ports
from infra.postgres.database import for_each
from shopdsr import schedule
from shopdsr.schedule import scheduled
from tests.conftest import Clock
from tests.depth.session import Session
from tests.reference.rules import BUILT_IN

DEADLINE_S = 30


class Work:
    """Ports that record their calls; the call `failing` raises."""

    def __init__(self, failing: str = "") -> None:
        """Start with no call recorded."""
        self.done: list[str] = []
        self.calls: list[tuple[Any, ...]] = []
        self._failing = failing
        self.begun = asyncio.Event()

    def context(self) -> Ports:
        """Return a context of these ports."""
        made = SimpleNamespace(
            rules=SimpleNamespace(rebuild=self._piece("rebuild")),
            scores=SimpleNamespace(roll=self._piece("roll")),
            shops=SimpleNamespace(remove_deleted=self._piece("removal")),
            peers=SimpleNamespace(take_snapshots=self._piece("snapshots")),
            clock=Clock(),
        )
        return cast("Ports", made)

    def _piece(self, name: str) -> Callable[..., Awaitable[None]]:
        async def do(*arguments: Any, **named: Any) -> None:
            self.done.append(name)
            self.calls.append((name, *arguments, named))
            self.begun.set()
            if name == self._failing:
                raise RuntimeError(name)

        return do


async def until(holds: Callable[[], bool | Awaitable[bool]]) -> None:
    """Run other tasks until a condition holds."""
    async with asyncio.timeout(DEADLINE_S):
        while not (holding if isinstance(holding := holds(), bool) else await holding):
            await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the pause between two ticks."""
    monkeypatch.setattr(schedule, "TICK_S", 0)


@pytest.mark.parametrize("failing", ["", "rebuild", "roll", "removal", "snapshots"])
async def test_each_piece_is_done_again_and_again_whatever_fails(failing: str) -> None:
    work = Work(failing)
    async with scheduled(work.context(), 0):
        await until(lambda: work.done.count("snapshots") >= 3)
    assert work.done[:8] == ["rebuild", "roll", "removal", "snapshots"] * 2


async def test_snapshots_wait_for_their_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000.0]
    monkeypatch.setattr(schedule, "monotonic", lambda: now[0])
    work = Work()
    async with scheduled(work.context(), 3_600):
        await until(lambda: work.done.count("roll") >= 3)
        assert "snapshots" not in work.done
        now[0] += 3_600
        await until(lambda: "snapshots" in work.done)
        rolled = work.done.count("roll")
        await until(lambda: work.done.count("roll") >= rolled + 3)
        assert work.done.count("snapshots") == 1
        now[0] += 3_600
        await until(lambda: work.done.count("snapshots") == 2)
    clock = Clock().now
    [call, _] = [call for call in work.calls if call[0] == "snapshots"]
    unless_since = clock - timedelta(seconds=1_800)
    assert call == ("snapshots", date(2026, 11, 20), clock, {"unless_since": unless_since})


async def test_nothing_is_left_running_at_the_end() -> None:
    before = asyncio.all_tasks()
    work = Work()
    async with scheduled(work.context(), 0):
        await work.begun.wait()
        assert len(asyncio.all_tasks()) == len(before) + 1
    assert asyncio.all_tasks() == before
    done = len(work.done)
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(work.done) == done


async def test_an_end_in_the_middle_of_a_piece_waits_for_nothing() -> None:
    work = Work()
    context = work.context()

    async def never() -> None:
        await asyncio.Event().wait()

    cast("Any", context).scores.roll = lambda _: never()
    async with asyncio.timeout(DEADLINE_S):
        async with scheduled(context, 0):
            await work.begun.wait()


async def test_a_failure_inside_reaches_the_caller_and_ends_the_schedule() -> None:
    before = asyncio.all_tasks()
    with pytest.raises(LookupError):
        async with scheduled(Work().context(), 0):
            raise LookupError
    assert asyncio.all_tasks() == before


async def test_the_real_pieces_catch_up_with_what_was_left_behind(service: Session) -> None:
    await service.put("rules/mine", BUILT_IN["taobao"])
    shop = {"marketplace": "m", "category": "c", "currency": "CNY", "rules": "mine"}
    await service.put("shops/s", shop)
    await service.database.run(
        lambda connection: connection.execute(
            "insert into rule_versions select tenant_id, name, 2, rules from rule_versions"
        )
    )
    service.clock.now = datetime(2026, 12, 24, 12, tzinfo=UTC)

    async def follows() -> bool:
        [row] = await service.database.run(
            lambda connection: connection.fetch(
                "select rules_version, day from shops join shop_totals using (shop_key)"
            )
        )
        return tuple(row) == (2, date(2026, 12, 24))

    async def compared() -> bool:
        listed = (await service.read("peer-snapshots"))["items"]
        return [item["as_of"] for item in listed] == ["2026-12-23"]

    async with scheduled(service.context, 0):
        await until(follows)
        await until(compared)


async def test_a_failure_does_not_keep_later_work_from_running() -> None:
    done = []

    async def work(number: int) -> None:
        if number == 1:
            raise ValueError(number)
        done.append(number)

    with pytest.raises(ValueError, match="1"):
        await for_each([0, 1, 2], work)
    assert done == [0, 2]
