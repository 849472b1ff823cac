"""Who asks: API keys checked before anything else is read."""

import hashlib
import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

from api.context import Call, Context
from api.problems import Problem
from api.rate_limit import TokenBucketLimiter
from domain.keys import ApiKey, Scope, StoredKey

_BEARER = re.compile(r"Bearer +sdk_([A-Za-z0-9]{1,64})_([!-~]{1,256})", re.IGNORECASE)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


async def authenticate(call: Call, scope: Scope) -> None:
    """Let a call through whose key holds and has the scope; the key is its `auth`.

    Raises Problem `unauthorized`, `rate_limited` or `forbidden`.
    """
    now = call.context.clock()
    key = await _holder(call.context, call.header(b"authorization"), now)
    if call.context.buckets is not None:
        _limit(call.context.buckets, key.key_id, now, call)
    if scope not in key.scopes:
        raise Problem("forbidden", f"This needs a key with the scope `{scope}`")
    call.auth = key


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


def _limit(buckets: TokenBucketLimiter, key_id: str, now: datetime, call: Call) -> None:
    take = buckets.take(key_id, (now - _EPOCH) // timedelta(microseconds=1))
    # As in draft-ietf-httpapi-ratelimit-headers-11, sections 3 and 4.
    call.answer_headers += [
        (b"ratelimit-policy", b'"key";q=%d;w=1' % buckets.rate),
        (b"ratelimit", b'"key";r=%d;t=1' % take.left),
    ]
    if not take.taken:
        raise Problem(
            "rate_limited",
            f"This key may send {buckets.rate} requests a second",
            headers={"Retry-After": str(take.wait_s)},
        )


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
