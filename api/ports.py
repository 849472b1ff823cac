"""The ports, the clock and the limits that handlers work with."""

from collections.abc import Callable
from datetime import datetime

import msgspec

from api.memory_budget import MemoryBudget
from api.metrics import StorageFigures
from api.rate_limit import TokenBucketLimiter
from domain import ports


class Limits(msgspec.Struct, frozen=True):
    """Bounds on what callers may send, in bytes after inflation, events and milliseconds.

    A body may be late by `body_timeout_ms` in all, a second less for each `body_bytes_per_s` that
    come in. In each process `incoming_bytes_max` of bodies may be coming in, `waiting_events_max`
    wait to be stored, and a key may send `requests_per_s`; None is any number. A tenant may have
    `definitions_max` keys, as many ladders, sets of rules and versions of each, and `shops_max`
    shops.
    """

    batch_events_max: int = 5_000
    batch_bytes_max: int = 8 * 1024 * 1024
    event_bytes_max: int = 512 * 1024
    stream_bytes_max: int = 256 * 1024 * 1024
    stream_chunk_events: int = 1_000
    body_timeout_ms: int = 30_000
    body_bytes_per_s: int = 16 * 1024
    incoming_bytes_max: int = 256 * 1024 * 1024
    waiting_events_max: int = 100_000
    requests_per_s: int | None = None
    definitions_max: int = 1_000
    shops_max: int = 200_000


class Ports(msgspec.Struct, frozen=True):
    """Everything a handler may call, opened by the product when it starts."""

    ledger: ports.Ledger
    shops: ports.Shops
    erasures: ports.Erasures
    ladders: ports.Ladders
    keys: ports.Keys
    scores: ports.Scores
    rules: ports.RuleSets
    peers: ports.Peers
    peer_sales: ports.PeerSales
    listings: ports.Listings
    reviews: ports.Reviews
    audit_trail: ports.AuditTrail
    health: ports.Health
    storage_figures: Callable[[], StorageFigures]
    clock: Callable[[], datetime]
    rate_limiter: TokenBucketLimiter | None
    memory_budget: MemoryBudget
    limits: Limits
