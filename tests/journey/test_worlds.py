"""Made-up worlds through a real server: every verdict and every answer as the reference says."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.journey.asking import compare, must_equal, whole
from tests.journey.process import Service
from tests.journey.sending import BATCH, NDJSON, found, send
from tests.reference.made_up import FOLDER
from tests.reference.scores import Reference
from tests.reference.worlds import Sent, World, shuffled, world


def take_snapshots(client: httpx.Client, made: World, reference: Reference) -> None:
    for day in made.snapshot_days:
        expected = reference.snapshot(day)
        answer = client.post("/v1/peer-snapshots", json={"as_of": day.isoformat()})
        assert answer.status_code == 201, answer.text
        told = answer.json()
        del told["taken_at"], expected["taken_at"]
        assert told == expected


@pytest.mark.parametrize("seed", [101, 102, 103])
def test_a_random_world_is_answered_like_the_reference(service: Service, seed: int) -> None:
    made = world(seed)
    rng = random.Random(seed)
    stream = shuffled(made.events, seed)
    reference = made.empty_reference()
    for sent in stream:
        reference.receive(sent.event)
    with service.client(f"world-{seed}") as client:
        found(client, made)
        send(client, stream, rng)
        take_snapshots(client, made, reference)
        days = [*rng.sample(made.days[:-1], 3), made.days[-1]]
        assert compare(client, reference, days, rng) > 500


def test_the_committed_world_is_answered_as_committed(service: Service) -> None:
    def read(name: str) -> Any:
        content: Any = json.loads((FOLDER / name).read_text(encoding="utf-8"))
        return content

    expected = read("made_up_expected.json")
    body = (FOLDER / "made_up.ndjson").read_bytes()
    with service.client("committed") as client:
        for name, rules in read("made_up_rules.json").items():
            client.put(f"/v1/rules/{name}", json=rules)
        assert client.post("/v1/shops", json=read("made_up_shops.json")).status_code == 200
        for ladder in read("made_up_ladders.json"):
            path = f"/v1/ladders/{ladder.pop('marketplace')}/{ladder.pop('category')}"
            assert client.put(path, json=ladder).status_code == 201
        for first in (True, False):
            answer = client.post("/v1/events", content=body, headers={"content-type": NDJSON})
            told = answer.json()
            for one in told["rejected"]:
                one["errors"] = []
            if not first:
                told["stored"] += told["duplicates"] - expected["events"]["duplicates"]
                told["duplicates"] = expected["events"]["duplicates"]
            members = {name: told[name] for name in expected["events"] if name != "status"}
            assert {"status": answer.status_code, **members} == expected["events"]
        for day in expected["snapshots"]:
            assert client.post("/v1/peer-snapshots", json={"as_of": day}).status_code == 201
        for path, answered in expected["answers"].items():
            told = whole(client, path)
            if "as_of=" not in path:
                del told["as_of"], answered["as_of"]
            must_equal(told, answered, path)


def test_many_senders_at_once_store_each_fact_once(service: Service) -> None:
    made = world(104)
    facts = [sent for sent in made.events if sent.code == "stored"]
    distinct = len({sent.fact for sent in facts})

    def tell(number: int) -> int:
        stored = 0
        stream: list[Sent] = random.Random(number).sample(facts, len(facts))
        with httpx.Client(base_url=service.url, headers=headers, timeout=60) as sender:
            for start in range(0, len(stream), 23):
                events = [sent.event for sent in stream[start : start + 23]]
                answer = sender.post(
                    "/v1/events",
                    content=json.dumps(events).encode(),
                    headers={"content-type": BATCH},
                )
                assert answer.status_code == 200, answer.text
                stored += answer.json()["stored"]
        return stored

    with service.client("crowd") as client:
        found(client, made)
        headers = {"authorization": client.headers["authorization"]}
        with ThreadPoolExecutor(6) as pool:
            assert sum(pool.map(tell, range(6))) == distinct
        reference = made.reference(facts)
        take_snapshots(client, made, made.empty_reference())
        rng = random.Random(104)
        compare(client, reference, made.days[-1:], rng)


def test_nothing_is_counted_wrong_in_the_end(service: Service) -> None:
    verified = service.command("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert verified.stdout == ""
