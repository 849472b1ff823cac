"""Made-up worlds through a real server: every verdict and every answer as the reference says."""

import random
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.harness.server import Server
from tests.journey.asking import compare
from tests.journey.sending import register, send, send_at_once
from tests.reference.scores import Reference
from tests.reference.worlds import World, shuffled, world


def take_snapshots(client: httpx.Client, made: World, reference: Reference) -> None:
    for day in made.snapshot_days:
        expected = reference.snapshot(day)
        answer = client.post("/v1/peer-snapshots", json={"as_of": day.isoformat()})
        assert answer.status_code == 201, answer.text
        snapshot = answer.json()
        del snapshot["taken_at"], expected["taken_at"]
        assert snapshot == expected


@pytest.mark.parametrize("seed", [101, 102])
def test_a_random_world_is_answered_like_the_reference(service: Server, seed: int) -> None:
    made = world(seed)
    rng = random.Random(seed)
    stream = shuffled(made.events, seed)
    reference = made.empty_reference()
    for sent in stream:
        reference.receive(sent.event)
    with service.tenant_client(f"world-{seed}") as client:
        register(client, made)
        send(client, stream, rng)
        take_snapshots(client, made, reference)
        days = [*rng.sample(made.days[:-1], 3), *made.snapshot_days[:1], made.days[-1]]
        assert compare(client, reference, days, rng) > 500


def test_many_senders_at_once_store_each_fact_once(service: Server) -> None:
    """Two tenants with shops of the same names, each with three senders, all at once."""
    rng = random.Random(104)
    worlds = [world(104, 200), world(105, 200)]
    streams = [[sent for sent in made.events if sent.code != "conflict"] for made in worlds]
    with service.tenant_client("crowd-1") as first, service.tenant_client("crowd-2") as second:
        clients = (first, second)
        for client, made in zip(clients, worlds, strict=True):
            register(client, made)
        with ThreadPoolExecutor(2) as pool:
            seeds = [random.Random(seed) for seed in (1, 2)]
            list(pool.map(send_at_once, clients, streams, seeds, (3, 3)))
        for client, made in zip(clients, worlds, strict=True):
            reference = made.empty_reference()
            for sent in made.events:
                reference.receive(sent.event)
            take_snapshots(client, made, reference)
            compare(client, reference, made.days[-1:], rng)


def test_nothing_is_counted_wrong_in_the_end(service: Server) -> None:
    verified = service.shell.run("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert verified.stdout == ""
