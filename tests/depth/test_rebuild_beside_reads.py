"""An answer given while rules change is wholly of the old version or wholly of the new."""

from typing import Any

import pytest

from tests.depth.service import Service, rating
from tests.reference.rules import BUILT_IN

CHANGED = {**BUILT_IN["taobao"], "ratings_per_buyer_month": 1, "rating_window_days": 30}


@pytest.mark.parametrize(
    "path",
    [
        "dsr",
        "trend?start=2026-11-19&end=2026-11-21",
        "dsr/change?start=2026-11-19&end=2026-11-21",
        "dsr/forecast?days=2",
        "dsr/plan?dimension=service&target=4.8&by=2026-11-21&stars=5",
        "tier",
        "sell-through",
        "scorecard?as_of=2026-11-20",
    ],
)
async def test_no_answer_mixes_two_versions(
    service: Service, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    await service.put("rules/mine", BUILT_IN["taobao"])
    shop = {"marketplace": "m", "category": "c", "currency": "CNY", "rules": "mine"}
    await service.put("shops/s", shop)
    await service.post([rating("s", number * 1000 + n) for number in range(3) for n in range(5)])
    before = await service.read(f"shops/s/{path}")
    scores = service.context.scores
    for name in ("day_totals", "window_totals"):
        monkeypatch.setattr(scores, name, overtaken(service, getattr(scores, name)))
    between = await service.read(f"shops/s/{path}")
    monkeypatch.undo()
    await service.put("rules/mine", CHANGED)
    after = await service.read(f"shops/s/{path}")
    assert between in (before, after)


def overtaken(service: Service, read: Any) -> Any:
    """The read, before which the rules are changed."""

    async def change_then_read(*arguments: Any) -> Any:
        await service.put("rules/mine", CHANGED)
        return await read(*arguments)

    return change_then_read
