"""API keys: made, and checked before anything else is read of a request."""

import hashlib
import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

from api.ports import Ports
from api.problems import Problem
from api.rate_limit import TokenBucketLimiter
from api.request import ApiRequest
from domain.keys import ApiKey, Scope, StoredKey

_BEARER = re.compile(r"Bearer +sdk_([A-Za-z0-9]{1,64})_([!-~]{1,256})", re.IGNORECASE)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


async def authenticate(request: ApiRequest) -> None:
    """Check that the key of a request holds and has the handler's scope.

    The key becomes the `auth` of the request. Raises Problem `unauthorized`, `rate_limited` or
    `forbidden`.
    """
    ports = request.ports
    now = ports.clock()
    key = await _holder(ports, request.header("authorization"), now)
    if ports.rate_limiter is not None:
        _limit(ports.rate_limiter, key.key_id, now, request)
    request.scope["auth"] = key
    scope: Scope = request.route_handler.opt["scope"]
    if scope not in key.scopes:
        raise Problem("forbidden", f"This needs a key with the scope `{scope}`")


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


async def _holder(ports: Ports, authorization: str, now: datetime) -> ApiKey:
    matched = _BEARER.fullmatch(authorization)
    key = await ports.keys.find(matched[1], _digest(matched[2])) if matched else None
    if key and key.is_valid(now):
        return key
    raise Problem(
        "unauthorized",
        "Send a valid key as `Authorization: Bearer sdk_…`",
        headers={"WWW-Authenticate": "Bearer"},
    )


def _limit(limiter: TokenBucketLimiter, key_id: str, now: datetime, request: ApiRequest) -> None:
    result = limiter.take(key_id, (now - _EPOCH) // timedelta(microseconds=1))
    # As in draft-ietf-httpapi-ratelimit-headers-11, sections 3 and 4.
    request.scope["state"]["rate_limit_headers"] = [
        (b"ratelimit-policy", b'"key";q=%d;w=1' % limiter.rate),
        (b"ratelimit", b'"key";r=%d;t=1' % result.left),
    ]
    if not result.taken:
        raise Problem(
            "rate_limited",
            f"This key may send {limiter.rate} requests a second",
            headers={"Retry-After": str(result.wait_s)},
        )


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
