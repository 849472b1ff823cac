"""Events as public reports say that shops send them, each with the answer that it needs."""

import json
from typing import Any

import pytest

from tests.api.samples import Client, Json, open_shop
from tests.conditions import REPORTS, with_reports

CASES: list[Json] = json.loads(REPORTS.read_text("utf-8")) if REPORTS.exists() else []

pytestmark = with_reports


async def send(client: Client, part: Json) -> Json:
    """Return the answer to a body, with what its first rejected event says."""
    headers = dict(part.get("headers", {}))
    if part["type"] is not None:
        headers["content-type"] = part["type"]
    content = json.dumps(part["body"], ensure_ascii=False).encode()
    answer = await client.post("/v1/events", content=content, headers=headers)
    body: Json = answer.json() if answer.content else {}
    rejected: list[Json] = body.get("rejected", [])
    first = rejected[0] if rejected else {"code": None, "errors": []}
    pointers = [error["pointer"] for error in first["errors"]]
    return body | {"status": answer.status_code, "code": first["code"], "pointers": pointers}


def member(value: Any, path: str) -> Any:
    """Return what a dotted path leads to in an answer."""
    for step in path.split("."):
        value = value[int(step) if isinstance(value, list) else step]
    return value


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
async def test_a_report_gets_the_answer_that_it_needs(client: Client, case: Json) -> None:
    await open_shop(client, "s", category="c", currency=case["shop"])
    for part, expected in zip(case["send"], case["expect"], strict=True):
        answer = await send(client, part)
        assert {name: answer[name] for name in expected} == expected
    if read := case.get("read"):
        answered = (await client.get(read["path"])).json()
        assert member(answered, read["member"]) == read["value"]
