"""Sending a world over HTTP in random portions, and what must be answered."""

import gzip
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from tests.harness.client import BATCH, EVENT, JSON, NDJSON
from tests.reference.worlds import Sent, World, expected_verdicts

ACCEPTED = {"stored", "duplicate"}


def register(client: httpx.Client, world: World) -> None:
    """Register the rules, shops and ladders of a world."""
    for name, rules in world.rules.items():
        assert client.put(f"/v1/rules/{name}", json=rules).status_code in {200, 201}
    answer = client.post("/v1/shops", json=world.shops)
    assert answer.status_code == 200, answer.text
    for ladder in world.ladders:
        path = f"/v1/ladders/{ladder['marketplace']}/{ladder['category']}"
        body = {name: ladder[name] for name in ("currency", "amounts")}
        assert client.put(path, json=body).status_code in {200, 201}


def send(
    client: httpx.Client,
    stream: Sequence[Sent],
    rng: random.Random,
    between: Callable[[], None] = lambda: None,
) -> None:
    """Send the stream in random portions and packings, and check every outcome."""
    verdicts = expected_verdicts(stream)
    for start, end in portions(len(stream), rng):
        between()
        events = [sent.event for sent in stream[start:end]]
        check(post(client, events, rng), events, verdicts[start:end])


def send_at_once(
    client: httpx.Client, stream: Sequence[Sent], rng: random.Random, senders: int
) -> None:
    """Send all of the stream from several threads at once, each in its own order.

    It holds no contradictions, as it is open who comes first.
    """
    orders = [rng.sample(stream, len(stream)) for _ in range(senders)]
    with ThreadPoolExecutor(senders) as pool:
        jobs = [
            pool.submit(_send_alone, client, order, random.Random(rng.random())) for order in orders
        ]
        stored = sum(job.result() for job in jobs)
    good = [sent for sent in stream if sent.code == "stored"]
    versions = {(sent.fact, sent.revision) for sent in good}
    # Which versions are stored depends on how many higher ones came before.
    assert len({sent.fact for sent in good}) <= stored <= len(versions)


def _send_alone(client: httpx.Client, stream: Sequence[Sent], rng: random.Random) -> int:
    """Send the stream on connections of its own; return how many events were stored."""
    stored = 0
    with httpx.Client(
        base_url=client.base_url, headers=client.headers, timeout=client.timeout
    ) as own:
        for start, end in portions(len(stream), rng):
            part = stream[start:end]
            body = post(own, [sent.event for sent in part], rng).json()
            stored += body["stored"]
            refused = [(n, sent.code) for n, sent in enumerate(part) if sent.code != "stored"]
            rejected = [(item["index"], item["code"]) for item in body["rejected"]]
            assert rejected == refused, _difference(
                rejected, refused, [item.event for item in part]
            )
            accepted = body["stored"] + body["duplicates"]
            assert (body["received"], accepted) == (len(part), len(part) - len(refused))
    return stored


def portions(length: int, rng: random.Random) -> Iterator[tuple[int, int]]:
    """Yield cuts of a stream, some of one event, some of hundreds."""
    start = 0
    while start < length:
        end = min(length, start + rng.choice((1, 2, 7, 40, 40, 160, 600)))
        yield start, end
        start = end


def post(client: httpx.Client, events: Sequence[Any], rng: random.Random) -> httpx.Response:
    """Post events in a packing that can hold them."""
    media_types = [BATCH, JSON, NDJSON, NDJSON]
    if len(events) == 1 and isinstance(events[0], dict):
        media_types = [EVENT, JSON, "single"]
    media_type = rng.choice(media_types)
    if media_type == NDJSON:
        body = b"".join(json.dumps(event).encode() + b"\n" for event in events)
    elif media_type in {EVENT, "single"}:
        body = json.dumps(events[0], ensure_ascii=False).encode()
    else:
        body = json.dumps(events).encode()
    headers = {"content-type": JSON if media_type == "single" else media_type}
    if rng.random() < 0.5:
        body = gzip.compress(body, compresslevel=1)
        headers["content-encoding"] = "gzip"
    return client.post("/v1/events", content=body, headers=headers)


def check(answer: httpx.Response, events: Sequence[Any], verdicts: Sequence[str]) -> None:
    """Compare an answer with what each event must become."""
    refused = [(n, verdict) for n, verdict in enumerate(verdicts) if verdict not in ACCEPTED]
    body = answer.json()
    rejected = [(item["index"], item["code"]) for item in body["rejected"]]
    assert rejected == refused[:1_000], _difference(rejected, refused, events)
    for item in body["rejected"]:
        event = events[item["index"]]
        given = event.get("id") if isinstance(event, dict) else None
        assert item["id"] == (given if isinstance(given, str) else None)
    totals = Counter(verdicts)
    counted = [body[name] for name in ("received", "stored", "duplicates", "rejected_count")]
    assert counted == [len(events), totals["stored"], totals["duplicate"], len(refused)]
    status = 200 if not refused else 422 if len(refused) == len(events) else 207
    assert answer.status_code == status


def _difference(
    actual: list[tuple[int, str]], expected: list[tuple[int, str]], events: Sequence[Any]
) -> str:
    differing = sorted(set(actual) ^ set(expected))
    lines = [f"{index} {code}: {json.dumps(events[index])[:600]}" for index, code in differing]
    return "answered or expected otherwise:\n" + "\n".join(lines)
