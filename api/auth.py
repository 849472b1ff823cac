"""Who asks: API keys checked before anything else is read."""

import hashlib
import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Scope as Connection

from api.buckets import Buckets
from api.context import Context
from api.operations import Operation
from api.problems import Problem
from domain.keys import ApiKey, Scope, StoredKey

_BEARER = re.compile(r"Bearer +sdk_([A-Za-z0-9]{1,64})_([!-~]{1,256})", re.IGNORECASE)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_RATE_HEADERS: Final = "rate_headers"


async def authenticate(
    connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
) -> None:
    """Let a request through whose key holds and has the operation's scope; the key is its `auth`.

    Raises Problem `unauthorized`, `rate_limited` or `forbidden`.
    """
    spec: Operation | None = handler.opt.get("operation")
    if spec is None or spec.scope is None:
        return
    context: Context = connection.app.state.context
    now = context.clock()
    key = await _holder(context, connection.headers.get("authorization", ""), now)
    if context.buckets is not None:
        _limit(context.buckets, key.key_id, now, connection.scope)
    if spec.scope not in key.scopes:
        raise Problem("forbidden", f"This needs a key with the scope `{spec.scope}`")
    connection.scope["auth"] = key


def make_key(
    *,
    tenant_id: int,
    scopes: list[Scope],
    shop_ids: list[str] | None,
    expires_at: datetime | None,
    now: datetime,
) -> tuple[str, StoredKey]:
    """A new key: what its holder sends (shown once), and what is kept."""
    key_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    until = None if expires_at is None else expires_at.astimezone(UTC)
    key = ApiKey(key_id, tenant_id, scopes, shop_ids, now, until, None)
    return f"sdk_{key_id}_{secret}", StoredKey(key, _digest(secret))


def rate_headers(scope: Connection) -> Sequence[tuple[bytes, bytes]]:
    """What tells a caller how many requests its key has left; nothing where there is no limit."""
    found: Sequence[tuple[bytes, bytes]] = scope["state"].get(_RATE_HEADERS, ())
    return found


async def _holder(context: Context, authorization: str, now: datetime) -> ApiKey:
    matched = _BEARER.fullmatch(authorization)
    key = await context.keys.find(matched[1], _digest(matched[2])) if matched else None
    if key and key.holds(now):
        return key
    raise Problem(
        "unauthorized",
        "Send a valid key as `Authorization: Bearer sdk_…`",
        headers={"WWW-Authenticate": "Bearer"},
    )


def _limit(buckets: Buckets, key_id: str, now: datetime, scope: Connection) -> None:
    take = buckets.take(key_id, (now - _EPOCH) // timedelta(microseconds=1))
    # As in draft-ietf-httpapi-ratelimit-headers-11, sections 3 and 4.
    scope["state"][_RATE_HEADERS] = (
        (b"ratelimit-policy", b'"key";q=%d;w=1' % buckets.rate),
        (b"ratelimit", b'"key";r=%d;t=1' % take.left),
    )
    if not take.taken:
        raise Problem(
            "rate_limited",
            f"This key may send {buckets.rate} requests a second",
            headers={"Retry-After": str(take.wait_s)},
        )


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
