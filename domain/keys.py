"""API keys: their tenant, their scopes and the shops they give access to."""

from datetime import datetime
from typing import Literal, get_args

import msgspec

Scope = Literal["events:write", "scores:read", "buyers:read", "shops:write", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)


class ApiKey(msgspec.Struct, frozen=True):
    """A key without its secret; `shop_ids` None gives access to every shop of the tenant."""

    key_id: str
    tenant_id: int
    scopes: list[Scope]
    shop_ids: list[str] | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    def is_valid(self, now: datetime) -> bool:
        """Return whether the key is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def has(self, scope: Scope) -> bool:
        """Return whether the key has a scope; `admin` includes `shops:write`."""
        return scope in self.scopes or (scope == "shops:write" and "admin" in self.scopes)

    def may_access(self, shop_id: str) -> bool:
        """Return whether the key gives access to this shop of its tenant."""
        return self.shop_ids is None or shop_id in self.shop_ids


class StoredKey(msgspec.Struct, frozen=True):
    """A key with the SHA-256 digest of its secret."""

    key: ApiKey
    secret_sha256: bytes
