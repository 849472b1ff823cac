"""API keys: made, and checked before anything else is read of a request."""

import hashlib
import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from api.ports import Ports
from api.problems import Problem
from domain.keys import ApiKey, Scope, StoredKey

_BEARER = re.compile(r"Bearer +sdk_([A-Za-z0-9]{1,64})_([!-~]{1,256})", re.IGNORECASE)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


async def valid_key(ports: Ports, authorization: str) -> ApiKey:
    """Return the key of an `Authorization`; raises Problem `unauthorized`."""
    matched = _BEARER.fullmatch(authorization)
    key = await ports.keys.find(matched[1], _digest(matched[2])) if matched else None
    if key and key.is_valid(ports.clock()):
        return key
    raise Problem(
        "unauthorized",
        "Send a valid key as `Authorization: Bearer sdk_…`",
        headers={"WWW-Authenticate": "Bearer"},
    )


def limit_rate(ports: Ports, key_id: str, state: dict[str, Any]) -> None:
    """Take a token of a key, where there is a limit; raises Problem `rate_limited`.

    The headers that tell of the limit go into the `state` of the request.
    """
    limiter = ports.rate_limiter
    if limiter is None:
        return
    result = limiter.take(key_id, (ports.clock() - _EPOCH) // timedelta(microseconds=1))
    # As in draft-ietf-httpapi-ratelimit-headers-11, sections 3 and 4.
    state["rate_limit_headers"] = [
        (b"ratelimit-policy", b'"key";q=%d;w=1' % limiter.rate),
        (b"ratelimit", b'"key";r=%d;t=1' % result.left),
    ]
    if not result.taken:
        raise Problem(
            "rate_limited",
            f"This key may send {limiter.rate} requests a second",
            headers={"Retry-After": str(result.wait_s)},
        )


def make_key(
    *,
    tenant_id: int,
    scopes: list[Scope],
    shop_ids: list[str] | None,
    expires_at: datetime | None,
    now: datetime,
) -> tuple[str, StoredKey]:
    """Return a new key: the text that its holder sends, and what is stored."""
    key_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    until = None if expires_at is None else expires_at.astimezone(UTC)
    key = ApiKey(key_id, tenant_id, scopes, shop_ids, now, until, None)
    return f"sdk_{key_id}_{secret}", StoredKey(key, _digest(secret))


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
