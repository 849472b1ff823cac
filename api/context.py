"""What handlers work with: the ports, the clock and the limits, put in place by the product."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeAlias

import msgspec
from litestar import Request
from litestar.datastructures import State

from domain import ports
from domain.keys import ApiKey

Call: TypeAlias = Request[Any, ApiKey, State]
"""A request whose key has been checked: `auth` is the key."""


class Limits(msgspec.Struct, frozen=True):
    """Bounds on what one request may send, in bytes after inflation, events and milliseconds."""

    batch_events_max: int = 5_000
    batch_bytes_max: int = 8 * 1024 * 1024
    event_bytes_max: int = 64 * 1024
    stream_bytes_max: int = 256 * 1024 * 1024
    stream_chunk_events: int = 1_000
    body_timeout_ms: int = 30_000


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
    limits: Limits


def context(request: Request[Any, Any, State]) -> Context:
    """The context the application was made with."""
    found: Context = request.app.state.context
    return found
