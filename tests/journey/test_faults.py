"""The server killed in the middle of its work, and other commands beside it."""

import json
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from infra.embedded import throwaway_data_dir
from tests.harness.client import BATCH, NDJSON, TIMEOUT_S
from tests.harness.processes import wait_until
from tests.harness.server import Server, Shell
from tests.journey.asking import compare
from tests.journey.sending import register
from tests.reference.rules import Json
from tests.reference.worlds import shuffled, world

KILLS = 3
SHOP = {"marketplace": "taobao", "category": "c", "currency": "CNY"}


@pytest.fixture
def own_service() -> Iterator[Server]:
    """Run a server with an embedded Postgres of its own."""
    with throwaway_data_dir() as folder, Shell(data_dir=folder, workers=2).serve() as server:
        yield server
        assert server.stop() in {0, 143}, server.output
        assert not (Path(folder) / "postgres" / "postmaster.pid").exists()


class PortionSender:
    """Sends portions one after the other until the server is gone, and keeps what was answered."""

    def __init__(self, client: httpx.Client, portions: list[list[Json]]) -> None:
        self.acknowledged: list[list[Json]] = []
        self._client, self._portions = client, portions
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def wait_for(self, count: int) -> None:
        """Wait until so many portions are acknowledged."""
        wait_until(
            lambda: len(self.acknowledged) >= count or not self._thread.is_alive(),
            TIMEOUT_S,
            f"{count} portions are acknowledged",
        )
        assert len(self.acknowledged) >= count

    def join(self) -> None:
        """Wait until it has given up."""
        self._thread.join(TIMEOUT_S)
        assert not self._thread.is_alive()

    def _send(self) -> None:
        for number, portion in enumerate(self._portions):
            media_type = (BATCH, NDJSON)[number % 2]
            try:
                answer = post(self._client, portion, media_type)
            except httpx.TransportError:
                return
            assert answer.status_code == 200, answer.text
            self.acknowledged.append(portion)


def event(type_: str, data: Json, number: int = 0) -> Json:
    return {
        "specversion": "1.0",
        "id": f"e-{number}",
        "source": "/faults",
        "type": type_,
        "subject": "s",
        "time": "2024-11-20T00:00:00Z",
        "data": data,
    }


def post(client: httpx.Client, events: list[Json], media_type: str = BATCH) -> httpx.Response:
    body = json.dumps(events).encode()
    if media_type == NDJSON:
        body = b"".join(json.dumps(event).encode() + b"\n" for event in events)
    return client.post("/v1/events", content=body, headers={"content-type": media_type})


def test_a_killed_server_loses_nothing_and_counts_nothing_twice(own_service: Server) -> None:
    made = world(201)
    facts = [sent for sent in shuffled(made.events, 201) if sent.code == "stored"]
    events = [sent.event for sent in facts]
    portions = [events[start : start + 9] for start in range(0, len(events), 9)]
    rng = random.Random(201)
    acknowledged: list[list[Json]] = []
    with own_service.tenant_client("acme") as client:
        register(client, made)
        for kill in range(KILLS):
            sender = PortionSender(client, portions[kill * len(portions) // (KILLS + 1) :])
            sender.wait_for(rng.randint(2, 8))
            own_service.kill(workers=kill != 1)
            sender.join()
            acknowledged += sender.acknowledged
            own_service.start()
            for portion in acknowledged:
                body = post(client, portion).json()
                assert (body["stored"], body["duplicates"]) == (0, len(portion))
        for portion in portions:
            assert post(client, portion).status_code == 200
        assert sum(post(client, portion).json()["stored"] for portion in portions) == 0
        verified = own_service.shell.run("verify")
        assert (verified.returncode, verified.stdout) == (0, ""), verified.stderr
        reference = made.reference(facts)
        for day in made.snapshot_days:
            answer = client.post("/v1/peer-snapshots", json={"as_of": day.isoformat()})
            assert answer.status_code == 201
        compare(client, reference, made.days[-1:], rng)


def test_what_is_answered_is_seen_by_every_worker(own_service: Server) -> None:
    with own_service.tenant_client("acme") as client:
        key = own_service.shell.create_key("acme")
        rules = client.get("/v1/rules/taobao").json()
        for name in ("name", "version", "built_in"):
            del rules[name]

        def seen() -> list[Json]:
            """Return the tier on new connections, which reach every worker sooner or later."""
            tiers = []
            for _ in range(6):
                with own_service.client(key) as other:
                    answer = other.get("/v1/shops/s/tier?as_of=2024-11-20")
                    tiers.append({"status": answer.status_code, **answer.json()})
            return tiers

        assert {tier["status"] for tier in seen()} == {404}
        for number in range(1, 5):
            body = {**rules, "rating_window_days": number}
            assert client.put("/v1/rules/own", json=body).status_code in {200, 201}
            shop = {**SHOP, "category": f"c-{number}", "rules": "own"}
            assert client.put("/v1/shops/s", json=shop).status_code in {200, 201}
            assert {tier["rules"]["version"] for tier in seen()} == {number}
            ladder = {"currency": "CNY", "amounts": [str(number + cut) for cut in range(6)]}
            path = f"/v1/ladders/taobao/c-{number}"
            assert client.put(path, json=ladder).status_code == 201
            assert {tier["tier"]["level"] for tier in seen()} == {1}
            order = {
                "order_id": f"o-{number}",
                "buyer_id": "b",
                "lines": [{"listing_id": "l", "quantity": 1, "amount": "1"}],
            }
            assert post(client, [event("order.paid", order, number)]).status_code == 200
            assert {tier["tier"]["sales"] for tier in seen()} == {f"{number}.00"}
            assert {tier["tier"]["level"] for tier in seen()} == {2}
            assert client.delete(path).status_code == 204
            assert {tier["tier"]["level"] for tier in seen()} == {None}
