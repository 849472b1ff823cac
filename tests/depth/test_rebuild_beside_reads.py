"""An answer given while rules change is of a single version."""

from typing import Any

import pytest

from tests.depth.session import Session, rating
from tests.reference.rules import BUILT_IN, Json

CHANGED = {**BUILT_IN["taobao"], "ratings_per_buyer_month": 1, "rating_window_days": 30}


PATHS = (
    "dsr",
    "trend?start=2026-11-19&end=2026-11-21",
    "dsr/change?start=2026-11-19&end=2026-11-21",
    "dsr/forecast?days=2",
    "dsr/plan?dimension=service&target=4.8&by=2026-11-21&stars=5",
    "tier",
    "sell-through",
    "scorecard?as_of=2026-11-20",
)


async def test_no_answer_mixes_two_versions(
    service: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = {"marketplace": "m", "category": "c", "currency": "CNY", "rules": "mine"}
    ratings = [rating("s", number * 1000 + n) for number in range(3) for n in range(5)]
    mixed = []
    for path in PATHS:
        await service.put("rules/mine", BUILT_IN["taobao"])
        await service.put("shops/s", shop)
        await service.post(ratings)
        before = await answer(service, path)
        scores = service.context.scores
        for name in ("day_totals", "window_totals"):
            monkeypatch.setattr(scores, name, after_a_change(service, getattr(scores, name)))
        between = await answer(service, path)
        monkeypatch.undo()
        await service.put("rules/mine", CHANGED)
        after = await answer(service, path)
        if between not in (before, after):
            mixed.append(path)
    assert mixed == []


async def answer(service: Session, path: str) -> Json:
    """Return an answer with the version's number reduced to its parity."""
    response = await service.client.get(f"/v1/shops/s/{path}")
    assert response.status_code == 200, response.text
    body: Json = response.json()
    body["rules"]["version"] %= 2
    return body


def after_a_change(service: Session, read: Any) -> Any:
    """Wrap a read so that the rules change just before it."""

    async def change_then_read(*arguments: Any) -> Any:
        await service.put("rules/mine", CHANGED)
        return await read(*arguments)

    return change_then_read
