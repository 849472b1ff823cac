"""The session of the README: its commands get the answers that it shows."""

import json
import re
import shlex

from tests.api.samples import Client, Json, open_shop
from tests.conftest import Clock
from tests.harness.server import REPOSITORY

COMMAND = re.compile(r"^\$ (curl .*?)\n(\{.*?)(?=\n\$ |\n```)", re.DOTALL | re.MULTILINE)
"""A command of curl and the JSON that it prints."""


def session(now: str) -> list[tuple[str, Json | None, Json]]:
    """Return the path, the body and the answer of each command."""
    text = (REPOSITORY / "README.md").read_text("utf-8")
    steps = []
    for command, answer in COMMAND.findall(text.partition("## A session")[2]):
        words = shlex.split(command.replace("$NOW", now).replace("$HERE", "/v1"))
        [path] = [word for word in words if word.startswith("/v1")]
        body = json.loads(words[words.index("-d") + 1]) if "-d" in words else None
        steps.append((path, body, json.loads(answer)))
    return steps


def members(value: object) -> object:
    """Return JSON with nothing in place of numbers and texts."""
    if isinstance(value, dict):
        return {name: members(part) for name, part in value.items()}
    return [members(part) for part in value] if isinstance(value, list) else None


async def test_the_session_of_the_readme_goes_as_it_is_written(
    client: Client, clock: Clock
) -> None:
    await open_shop(client, "panda-prams")
    scores: list[tuple[int, int]] = []
    for path, body, shown in session(clock.now.isoformat()):
        if body is None:
            answer = (await client.get(path)).json()
            assert members(answer) == members(shown)
        else:
            answer = (await client.post(path, json=body)).json()
            assert answer == shown
        card = (await client.get("/v1/shops/panda-prams/scorecard")).json()
        logistics = card["dsr"]["logistics"]
        scores.append((logistics["count"], logistics["sum"]))
    assert scores == [(1, 1), (1, 1), (1, 4), (0, 0)]
