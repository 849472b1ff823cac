"""Ports: the Protocols that storage implements.

Methods raise `Unavailable` when storage cannot serve. Instants and days are arguments: no adapter
reads a clock. A method that takes an act and changes anything adds the act to the audit trail in
the same transaction.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Literal, NamedTuple, Protocol, TypeAlias

import msgspec

from domain.acts import Act, Entry
from domain.days import Window
from domain.errors import Refusal
from domain.events import Instant
from domain.facts.ratings import Rating, Reason
from domain.keys import ApiKey, StoredKey
from domain.listings import ListingFacts, ListingFilter
from domain.peers import PeerStatistics
from domain.recording import Outcome, Submission
from domain.rules import Rules, RuleSet
from domain.sell_through import SoldListings
from domain.shops import Shop
from domain.tier import Ladder, SalesGroup
from domain.totals import RatingState, Totals
from domain.windows import Windows


class ShopKey(NamedTuple):
    """The key of a shop's facts and totals, and the tenant that the shop must belong to."""

    tenant_id: int
    shop_key: int


class StoredShop(msgspec.Struct, frozen=True):
    """A shop as it is stored, and the rules that its stored states follow."""

    tenant_id: int
    shop_key: int
    shop: Shop
    rules: RuleSet

    @property
    def key(self) -> ShopKey:
        """Return the key of the shop's facts and totals."""
        return ShopKey(self.tenant_id, self.shop_key)


class SnapshotVersion(NamedTuple):
    """A version of the peer snapshot of a date; its content never changes."""

    as_of: date
    taken_at: datetime
    mark: str
    """Differs between versions of the same instant."""


class ShopTotals(msgspec.Struct, frozen=True):
    """A shop with its running totals: the sums of the windows that end on `day`.

    `snapshot` is the newest up to `day`; it is null for a shop with a ladder in its currency.
    """

    stored: StoredShop
    ladder: Ladder | None
    snapshot: SnapshotVersion | None
    day: date
    totals: Totals


class SnapshotHeader(msgspec.Struct, frozen=True):
    """A peer snapshot, with its numbers of shops and of groups."""

    as_of: date
    taken_at: Instant
    shops: int
    groups: int


class SalesGroupQuery(msgspec.Struct, frozen=True):
    """A query for the sales of a group of shops as of a day.

    `snapshot` is the newest up to that day, where the caller knows it.
    """

    marketplace: str
    category: str
    currency: str
    day: date
    snapshot: SnapshotVersion | None = None


class ReviewsQuery(msgspec.Struct, frozen=True):
    """A query for ratings of the days from `start` to `end`, in a state or in all (None)."""

    state: RatingState | None
    start: date
    end: date


class StoredRating(msgspec.Struct, frozen=True):
    """A rating with its state, and the time and reason of a removal."""

    rating: Rating
    state: RatingState
    removed_at: datetime | None
    reason: Reason | None


PutOutcome: TypeAlias = Literal["created", "changed", "unchanged"] | Refusal
"""The outcome of one shop."""


class Ledger(Protocol):
    """Records events."""

    async def record(self, submission: Submission, now: datetime) -> list[Outcome]:
        """Record the events of one request; return their outcomes, in order, after commit."""


class Shops(Protocol):
    """Stores shops."""

    async def put(self, act: Act, shops: Sequence[Shop]) -> list[PutOutcome]:
        """Create or replace shops of different ids in one transaction.

        Outcomes are in the order of the shops. A refusal is UnknownRules or ShopImmutable, and does
        not affect the other shops. Raise TooManyStored where a tenant would have too many.
        """

    async def get(self, tenant_id: int, shop_id: str) -> StoredShop:
        """Return a shop; raise NotFound."""

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
        """Return up to `limit` shops by id, from the first id above `after`."""

    async def delete(self, act: Act, shop_id: str) -> None:
        """Delete a shop from all reads; raise NotFound."""

    async def remove_deleted(self) -> int:
        """Remove what is stored of deleted shops, piece by piece; return how many rows."""


class Erasures(Protocol):
    """Erases buyers."""

    async def erase(self, act: Act, buyer_id: str) -> int:
        """Replace a buyer's id by a random one, in every shop of the tenant.

        The buyer's texts are emptied. Returns how many facts were changed that are not retracted.
        """


class Ladders(Protocol):
    """Stores ladders of amounts by marketplace and category."""

    async def put(
        self, act: Act, marketplace: str, category: str, ladder: Ladder, count_max: int
    ) -> bool:
        """Create or replace a ladder; return whether it was created.

        Raises TooManyStored where it would be one more than `count_max`.
        """

    async def get(self, tenant_id: int, marketplace: str, category: str) -> Ladder:
        """Return a ladder; raise NotFound."""

    async def delete(self, act: Act, marketplace: str, category: str) -> None:
        """Delete a ladder; raise NotFound."""


class Keys(Protocol):
    """Stores API keys."""

    async def find(self, key_id: str, secret_sha256: bytes) -> ApiKey | None:
        """Return the key of an id and a secret, also an expired or revoked key.

        An unknown id takes as long as a wrong secret; both return None.
        """

    async def add(self, act: Act, stored: StoredKey, count_max: int) -> None:
        """Store a new key, if need be in place of the key that ended first.

        Raises TooManyStored where `count_max` keys are valid.
        """

    async def page(
        self,
        tenant_id: int,
        shop_ids: Sequence[str] | None,
        *,
        after: tuple[datetime, str] | None,
        limit: int,
    ) -> list[ApiKey]:
        """Return up to `limit` keys, newest first, then by id, after a given one.

        Only keys confined to some of `shop_ids` are returned; None is all keys.
        """

    async def revoke(self, act: Act, key_id: str, shop_ids: Sequence[str] | None) -> None:
        """Revoke one of the keys that `page` returns; revoking again changes nothing.

        Raises NotFound.
        """


class AuditTrail(Protocol):
    """Reads the acts on tenants."""

    async def page(
        self,
        tenant_id: int,
        limit: int,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        after: tuple[datetime, int] | None = None,
    ) -> list[Entry]:
        """Return up to `limit` entries of `start` to before `end`, newest first.

        `after` is the instant and the number of the last entry of the page before.
        """


class Scores(Protocol):
    """Reads the totals that scores are computed from."""

    async def shop_totals(self, tenant_id: int, shop_ids: Sequence[str]) -> dict[str, ShopTotals]:
        """Return shops by id with running totals; unknown shops are absent."""

    async def window_totals(self, of: Sequence[tuple[StoredShop, Windows]]) -> dict[int, Totals]:
        """Return the sums of windows by shop key; each shop occurs once.

        Raises RulesChanged where a shop's stored states follow other rules now.
        """

    async def counter_totals(
        self, of: Sequence[tuple[StoredShop, Window]]
    ) -> dict[int, dict[str, int]]:
        """Return the sums of counters outside the columns, by shop key and counter.

        Raises RulesChanged where a shop's stored states follow other rules now.
        """

    async def day_totals(self, stored: StoredShop, start: date, end: date) -> dict[date, Totals]:
        """Return the totals of the days from `start` to `end`; empty days are absent.

        Raises RulesChanged where the shop's stored states follow other rules now.
        """

    async def roll(self, now: datetime) -> int:
        """Move running totals of earlier days to each shop's today; return how many."""

    async def replay(self, shop: ShopKey, rules: Rules) -> dict[date, Totals]:
        """Return day totals under any rules, computed from the ratings themselves."""


class Peers(Protocol):
    """Stores peer snapshots."""

    async def take_snapshot(self, act: Act, as_of: date) -> SnapshotHeader:
        """Store a snapshot of a tenant's shops, replacing the earlier one of the date."""

    async def take_snapshots(self, as_of: date, now: datetime, *, unless_since: datetime) -> None:
        """Store a snapshot for every tenant that has none taken after `unless_since`."""

    async def page(self, tenant_id: int, before: date | None, limit: int) -> list[SnapshotHeader]:
        """Return up to `limit` snapshots, newest first, from the first date below `before`."""

    async def statistics(self, stored: StoredShop, as_of: date) -> PeerStatistics:
        """Return the statistics of a shop's peers in the newest snapshot up to a day."""


class PeerSales(Protocol):
    """Reads the sales of shops in snapshots."""

    async def groups(
        self, tenant_id: int, queries: Collection[SalesGroupQuery]
    ) -> dict[SalesGroupQuery, SalesGroup]:
        """Return sales in the newest snapshot up to each day; absent without a snapshot."""

    async def own(self, stored: StoredShop, as_of: date) -> int | None:
        """Return a shop's sales in a date's snapshot; None outside its present group."""


class Listings(Protocol):
    """Reads listings."""

    async def page(
        self,
        shop: ShopKey,
        as_of: date,
        conditions: ListingFilter,
        *,
        units_from: date,
        after: str,
        limit: int,
    ) -> list[ListingFacts]:
        """Return up to `limit` listings of a day by id, from the first above `after`.

        Only listings that meet the conditions are returned.
        """

    async def sold(self, shop: ShopKey, span: Window) -> SoldListings:
        """Count the listings on sale at the end of a window, and the sold ones."""


class Reviews(Protocol):
    """Reads ratings."""

    async def page(
        self, shop: ShopKey, query: ReviewsQuery, after: tuple[datetime, str] | None, limit: int
    ) -> list[StoredRating]:
        """Return up to `limit` ratings after a given one, newest first, then by id."""


class RuleSets(Protocol):
    """Stores rules."""

    async def page(self, tenant_id: int, after: str, limit: int) -> list[RuleSet]:
        """Return up to `limit` built-in and own sets by name, from the first above `after`.

        Each is in its newest version.
        """

    async def get(self, tenant_id: int, name: str) -> RuleSet:
        """Return rules in their newest version; raise NotFound."""

    async def put(self, act: Act, name: str, rules: Rules, count_max: int) -> tuple[RuleSet, bool]:
        """Store rules, and rebuild the states of every shop that follows them.

        Returns the rules and whether the name is new. Equal content makes no new version. Raises
        BuiltInRules, and TooManyStored where it would be one name more than `count_max`.
        """

    async def rebuild(self) -> int:
        """Rebuild the states of shops that follow an older version; return how many."""


class Health(Protocol):
    """Reports whether storage can serve."""

    async def is_ready(self) -> bool:
        """Return whether the database answers and its schema is current."""
