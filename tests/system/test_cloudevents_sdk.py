"""The CloudEvents SDK of npm, in each way in which it can send, against a server."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.samples import DATA, SHOP, Json, event, received
from tests.harness.postgres import Cluster
from tests.harness.server import Server, serve

SCRIPT = Path(__file__).with_name("cloudevents_sdk.cjs")
FOLDER = Path(sys.executable).parents[1] / "system"
"""Where `make test-system` puts Node and the SDK."""

SINGLE = ("binary", "structured", "bytes")
WAYS = (*SINGLE, "batch")


@pytest.fixture(scope="module")
def server(cluster: Cluster) -> Iterator[Server]:
    """Run a server."""
    with cluster.database() as url, serve(url) as server:
        yield server


def send(server: Server, key: str, events: list[Json], way: str) -> list[Json]:
    """Return the answers that the SDK gets."""
    task = {"url": f"{server.url}/v1/events", "key": key, "events": events, "way": way}
    node = FOLDER / "bin" / "node"
    assert node.exists(), "Node is missing: make test-system installs it"
    ended = subprocess.run(
        [node, SCRIPT],
        env={"NODE_PATH": str(FOLDER / "node_modules")},
        input=json.dumps(task),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines()]


@pytest.mark.parametrize("first", WAYS)
def test_an_event_is_the_same_in_whatever_way_the_sdk_sends_it(server: Server, first: str) -> None:
    key = server.shell.create_key(first)
    with server.client(key) as client:
        assert client.put("/v1/shops/s", json=SHOP).status_code == 201
    events = [event(type_, id=f"e-{type_}") for type_ in DATA]
    retraction = {"type": "order.paid", "identity": {"order_id": "o-1"}, "revision": 1}
    events.append(event("event.retracted", data=retraction))
    at_once = len(events) if first == "batch" else 1
    answers = send(server, key, events, first)
    assert answers == [received(at_once)] * (len(events) // at_once)
    for way in SINGLE:
        assert send(server, key, events, way) == [received(0, duplicates=1)] * len(events)
    assert send(server, key, events, "batch") == [received(0, duplicates=len(events))]
