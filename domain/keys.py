"""API keys: who asks, what for, and which shops they reach."""

from datetime import datetime
from typing import Literal

import msgspec

Scope = Literal["events:write", "scores:read", "admin"]
SCOPES: tuple[Scope, ...] = ("events:write", "scores:read", "admin")


class ApiKey(msgspec.Struct, frozen=True):
    """A key without its secret; `shop_ids` None reaches every shop of the tenant."""

    key_id: str
    tenant_id: int
    scopes: list[Scope]
    shop_ids: list[str] | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    def holds(self, now: datetime) -> bool:
        """Whether the key is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def reaches(self, shop_id: str) -> bool:
        """Whether the key may know of this shop of its tenant."""
        return self.shop_ids is None or shop_id in self.shop_ids


class StoredKey(msgspec.Struct, frozen=True):
    """A key with the SHA-256 digest of its secret."""

    key: ApiKey
    secret_sha256: bytes
