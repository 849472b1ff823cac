"""Random worlds, sent to an application whose clock shows the same instant."""

import json
from typing import Any

import pytest

from tests.api.samples import NDJSON, Client, lines, refusals, send
from tests.conftest import Clock
from tests.reference.made_up import FOLDER
from tests.reference.worlds import expected_verdicts, shuffled, world


async def result(client: Client, rules: Any, shops: Any, ladders: Any) -> None:
    for name, fields in rules.items():
        assert (await client.put(f"/v1/rules/{name}", json=fields)).status_code == 201
    assert (await client.post("/v1/shops", json=shops)).status_code == 200
    for ladder in ladders:
        path = f"/v1/ladders/{ladder['marketplace']}/{ladder['category']}"
        body = {name: ladder[name] for name in ("currency", "amounts")}
        assert (await client.put(path, json=body)).status_code == 201


@pytest.mark.parametrize("seed", [1, 2])
async def test_events_at_the_edge_of_the_clock_get_their_verdicts(
    client: Client, clock: Clock, seed: int
) -> None:
    made = world(seed, 120, clock_edges=True)
    clock.now = made.now
    await result(client, made.rules, made.shops, made.ladders)
    stream = shuffled(made.events, seed)
    verdicts = expected_verdicts(stream)
    answer = await send(client, lines(sent.event for sent in stream), NDJSON)
    stored = {"stored", "duplicate"}
    expected = [(n, verdict) for n, verdict in enumerate(verdicts) if verdict not in stored]
    assert [(index, code) for index, _, code in refusals(answer)] == expected
    assert answer.json()["stored"] == verdicts.count("stored")


async def test_the_committed_world_is_answered_to_the_letter(client: Client, clock: Clock) -> None:
    def read(name: str) -> Any:
        return json.loads((FOLDER / name).read_text(encoding="utf-8"))

    expected = read("made_up_expected.json")
    clock.now = clock.now.fromisoformat(expected["now"])
    names = ("made_up_rules.json", "made_up_shops.json", "made_up_ladders.json")
    await result(client, *map(read, names))
    answer = await send(client, (FOLDER / "made_up.ndjson").read_bytes(), NDJSON)
    text = {"status": answer.status_code, **answer.json()}
    for item in text["rejected"]:
        item["errors"] = []
    assert text == expected["events"]
    for day in expected["snapshots"]:
        answer = await client.post("/v1/peer-snapshots", json={"as_of": day})
        assert answer.json()["taken_at"] == expected["now"]
    for path, answered in expected["answers"].items():
        text = (await client.get(path)).json()
        for block in (text, answered):
            for dimension in ("description", "service", "logistics"):
                block.get("dsr", {}).get(dimension, {}).pop("interval", None)
        assert text == answered, path
