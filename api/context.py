"""What handlers work with: the call itself, the ports, the clock and the limits."""

import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from random import getrandbits
from typing import Any

import msgspec

from api.memory_budget import MemoryBudget
from api.operations import Headers, Operation
from api.patience import Patience
from api.rate_limit import TokenBucketLimiter
from domain import ports
from domain.acts import Act
from domain.keys import ApiKey

_SANE_ID = re.compile(r"[!-~]{1,128}")


class Limits(msgspec.Struct, frozen=True):
    """Bounds on what callers may send, in bytes after inflation, events and milliseconds.

    A body may be late by `body_timeout_ms` in all, a second less for each `body_bytes_per_s` that
    come in. In each process `incoming_bytes_max` of bodies may be coming in, `waiting_events_max`
    wait to be stored, and a key may send `requests_per_s`; None is any number.
    """

    batch_events_max: int = 5_000
    batch_bytes_max: int = 8 * 1024 * 1024
    event_bytes_max: int = 64 * 1024
    stream_bytes_max: int = 256 * 1024 * 1024
    stream_chunk_events: int = 1_000
    body_timeout_ms: int = 30_000
    body_bytes_per_s: int = 16 * 1024
    incoming_bytes_max: int = 256 * 1024 * 1024
    waiting_events_max: int = 100_000
    requests_per_s: int | None = None


class Context(msgspec.Struct, frozen=True):
    """Everything a handler may ask, put in place by the product."""

    ledger: ports.Ledger
    shops: ports.Shops
    ladders: ports.Ladders
    keys: ports.Keys
    scores: ports.Scores
    rules: ports.RuleSets
    peers: ports.Peers
    peer_sales: ports.PeerSales
    listings: ports.Listings
    reviews: ports.Reviews
    health: ports.Health
    clock: Callable[[], datetime]
    buckets: TokenBucketLimiter | None
    room: MemoryBudget
    patience: Patience
    limits: Limits


class Call:
    """One request; `auth` is its key, once that has been checked.

    `headers` are by name in lower case, several of a name as one list. `request_id` is the caller's
    if it is sane, else one of ours; `answer_headers` go with the answer, whatever it is.
    """

    __slots__ = (
        *("answer_headers", "auth", "context", "headers", "operation", "query", "receive"),
        "request_id",
    )

    operation: Operation
    auth: ApiKey

    def __init__(
        self,
        scope: Mapping[str, Any],
        receive: Callable[[], Awaitable[Any]],
        context: Context,
    ) -> None:
        self.headers = _joined(scope["headers"])
        self.query: bytes = scope["query_string"]
        self.receive = receive
        self.context = context
        given = self.header(b"x-request-id")
        # One of ours is no secret, and seeded anew in each process.
        self.request_id = given if _SANE_ID.fullmatch(given) else f"{getrandbits(128):032x}"
        self.answer_headers = [(b"x-request-id", self.request_id.encode())]

    def header(self, name: bytes) -> str:
        """The header of this name, which is in lower case; empty where there is none."""
        value = self.headers.get(name)
        return "" if value is None else value.decode("latin-1")


def _joined(headers: Headers) -> dict[bytes, bytes]:
    found = dict(headers)
    if len(found) == len(headers):
        return found
    values: defaultdict[bytes, list[bytes]] = defaultdict(list)
    for name, value in headers:
        values[name].append(value)
    return {name: b", ".join(given) for name, given in values.items()}


def act(call: Call) -> Act:
    """What the call does, as the audit trail tells it."""
    key = call.auth
    return Act(key.tenant_id, key.key_id, call.operation.name, call.context.clock())
