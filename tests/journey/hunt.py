"""A long hunt by hand: `python -m tests.journey.hunt FIRST LAST` tries the seeds between.

Each seed is a world of random size, sent in disorder: by one sender while rules change, or by
many at once. It is asked about on four days. What differs is printed with its seed, and the
status is 1 if anything did.
"""

import random
import sys
import traceback

import httpx

from infra.embedded import throwaway_data_dir
from tests.harness.server import Shell
from tests.journey.asking import compare
from tests.journey.sending import register, send, send_at_once
from tests.reference.rules import BUILT_IN
from tests.reference.worlds import World, shuffled, world


def main(first: int, last: int) -> int:
    """Try every seed; return the number that differed."""
    wrong = 0
    with throwaway_data_dir() as folder, Shell(data_dir=folder).serve() as service:
        for seed in range(first, last):
            try:
                with service.tenant_client(f"seed-{seed}") as client:
                    compared = hunt(client, seed)
            except (AssertionError, LookupError, httpx.HTTPError):
                wrong += 1
                print(f"seed {seed}", flush=True)
                traceback.print_exc(limit=-3)
            else:
                print(f"seed {seed}: {compared} answers", flush=True)
        verified = service.shell.run("verify")
        print(verified.stdout, verified.stderr)
        service.stop()
    return wrong + verified.returncode


def hunt(client: httpx.Client, seed: int) -> int:
    """Send a world and ask about it; return the number of responses compared."""
    rng = random.Random(seed)
    made = world(seed, rng.choice((150, 300, 300, 600)))
    stream = shuffled(made.events, seed)
    reference = made.empty_reference()
    register(client, made)
    if seed % 2:
        stream = [sent for sent in stream if sent.code != "conflict"]
        send_at_once(client, stream, rng, rng.choice((2, 4, 8)))
    else:
        send(client, stream, rng, between=lambda: disturb(client, made, rng))
    register(client, made)
    for sent in stream:
        reference.receive(sent.event)
    for day in made.snapshot_days:
        reference.snapshot(day)
        answer = client.post("/v1/peer-snapshots", json={"as_of": day.isoformat()})
        assert answer.status_code == 201, answer.text
    days = [*rng.sample(made.days[:-1], 3), made.days[-1]]
    return compare(client, reference, days, rng)


def disturb(client: httpx.Client, made: World, rng: random.Random) -> None:
    """Now and then, give a shop other rules for a while."""
    if rng.random() < 0.2:
        name = rng.choice([*BUILT_IN, *made.rules])
        answer = client.post("/v1/shops", json=[{**rng.choice(made.shops), "rules": name}])
        assert answer.status_code == 200, answer.text


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])) > 0)
