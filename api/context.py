"""What handlers work with: the ports, the clock and the limits, put in place by the product."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeAlias

import msgspec
from litestar import Request
from litestar.datastructures import State

from api.buckets import Buckets
from api.room import Room
from domain import ports
from domain.acts import Act
from domain.keys import ApiKey

Call: TypeAlias = Request[Any, ApiKey, State]
"""A request whose key has been checked: `auth` is the key."""


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
    """Everything a handler may ask."""

    ledger: ports.Ledger
    shops: ports.Shops
    ladders: ports.Ladders
    keys: ports.Keys
    scores: ports.Scores
    rules: ports.RuleSets
    peers: ports.Peers
    listings: ports.Listings
    reviews: ports.Reviews
    health: ports.Health
    clock: Callable[[], datetime]
    buckets: Buckets | None
    room: Room
    limits: Limits


def act(request: Call) -> Act:
    """What the request does, as the audit trail tells it."""
    operation: str = request.route_handler.opt["operation"].name
    key = request.auth
    return Act(key.tenant_id, key.key_id, operation, context(request).clock())


def context(request: Request[Any, Any, State]) -> Context:
    """The context the application was made with."""
    found: Context = request.app.state.context
    return found
