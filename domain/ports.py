"""What the domain asks of storage.

Methods raise `Unavailable` when storage cannot serve. Instants and days are arguments: nothing
behind a port looks at a clock.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal, Protocol, TypeAlias

import msgspec

from domain.errors import Refusal
from domain.keys import ApiKey, StoredKey
from domain.recording import Outcome, Submission
from domain.rules import RuleSet
from domain.shops import Shop
from domain.tier import Ladder
from domain.totals import Totals
from domain.windows import Windows


class KeptShop(msgspec.Struct, frozen=True):
    """A shop as it is kept, and the rules its stored states follow now."""

    tenant_id: int
    shop_key: int
    shop: Shop
    rules: RuleSet


class Standing(msgspec.Struct, frozen=True):
    """A shop with its running totals: the sums of the windows that end on `day`."""

    kept: KeptShop
    ladder: Ladder | None
    day: date
    totals: Totals


PutOutcome: TypeAlias = Literal["created", "changed", "unchanged"] | Refusal
"""What became of one shop."""


class Ledger(Protocol):
    """Records events."""

    async def record(
        self, submissions: Sequence[Submission], now: datetime
    ) -> list[list[Outcome]]:
        """Record several requests in one transaction; outcomes in order, after commit."""


class Shops(Protocol):
    """Keeps shops."""

    async def put(
        self, tenant_id: int, shops: Sequence[Shop], now: datetime
    ) -> list[PutOutcome]:
        """Create or replace shops of different ids, in one transaction, each for itself.

        A shop is refused with UnknownRules or ShopImmutable.
        """

    async def get(self, tenant_id: int, shop_id: str) -> KeptShop:
        """One shop; raises NotFound."""

    async def page(
        self,
        tenant_id: int,
        shop_ids: Sequence[str] | None,
        *,
        marketplace: str | None,
        category: str | None,
        after: str,
        limit: int,
    ) -> list[Shop]:
        """Up to `limit` shops by id, from the first id over `after`."""


class Ladders(Protocol):
    """Keeps ladders of amounts by marketplace and category."""

    async def put(self, tenant_id: int, marketplace: str, category: str, ladder: Ladder) -> bool:
        """Create (True) or replace."""

    async def get(self, tenant_id: int, marketplace: str, category: str) -> Ladder:
        """One ladder; raises NotFound."""

    async def delete(self, tenant_id: int, marketplace: str, category: str) -> None:
        """Remove one; raises NotFound."""


class Keys(Protocol):
    """Keeps API keys."""

    async def find(self, key_id: str) -> StoredKey | None:
        """A key by id, whether or not it still holds."""

    async def add(self, stored: StoredKey) -> None:
        """Keep a new key."""

    async def list(self, tenant_id: int) -> list[ApiKey]:
        """Keys of a tenant, newest first."""

    async def revoke(self, tenant_id: int, key_id: str, now: datetime) -> None:
        """End a key; ending it again changes nothing. Raises NotFound."""


class Scores(Protocol):
    """Reads the totals that scores are computed from."""

    async def standings(self, tenant_id: int, shop_ids: Sequence[str]) -> dict[str, Standing]:
        """Shops by id with running totals; those that are not there are absent."""

    async def window_totals(self, of: Sequence[tuple[int, Windows]]) -> dict[int, Totals]:
        """Sums of windows, by shop key: one windows' end for each shop."""

    async def day_totals(self, shop_key: int, start: date, end: date) -> dict[date, Totals]:
        """Totals of the days from `start` to `end`, both included; empty days are absent."""


class Health(Protocol):
    """Tells whether storage can serve."""

    async def is_ready(self) -> bool:
        """Whether the database answers and its schema is current."""
