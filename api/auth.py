"""Who asks: API keys checked before anything else is read."""

import hashlib
import hmac
import re
import secrets
from datetime import datetime
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from api.context import Context
from api.operations import Operation
from api.problems import Problem
from domain.keys import ApiKey, Scope, StoredKey

_BEARER = re.compile(r"Bearer +sdk_([A-Za-z0-9]{1,64})_([!-~]{1,256})", re.IGNORECASE)
_NO_DIGEST = bytes(32)


async def authenticate(
    connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
) -> None:
    """Let a request through whose key holds and has the operation's scope; the key is its `auth`.

    Raises Problem `unauthorized` or `forbidden`.
    """
    spec: Operation | None = handler.opt.get("operation")
    if spec is None or spec.scope is None:
        return
    context: Context = connection.app.state.context
    key = await _holder(context, connection.headers.get("authorization", ""))
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
    key = ApiKey(key_id, tenant_id, scopes, shop_ids, now, expires_at, None)
    return f"sdk_{key_id}_{secret}", StoredKey(key, _digest(secret))


async def _holder(context: Context, authorization: str) -> ApiKey:
    matched = _BEARER.fullmatch(authorization)
    stored = await context.keys.find(matched[1]) if matched else None
    secret = matched[2] if matched else ""
    known = stored.secret_sha256 if stored else _NO_DIGEST
    if hmac.compare_digest(_digest(secret), known) and stored and stored.key.holds(context.clock()):
        return stored.key
    raise Problem(
        "unauthorized",
        "Send a valid key as `Authorization: Bearer sdk_…`",
        headers={"WWW-Authenticate": "Bearer"},
    )


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
