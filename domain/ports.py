"""What the domain asks of storage.

Methods raise `Unavailable` when storage cannot serve. Instants and days are arguments: nothing
behind a port looks at a clock. What takes an act adds it to the audit trail, where it changes
anything, in the same transaction.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Literal, NamedTuple, Protocol, TypeAlias

import msgspec

from domain.acts import Act
from domain.days import Window
from domain.errors import Refusal
from domain.events import Instant
from domain.facts.ratings import Rating, Reason
from domain.keys import ApiKey, StoredKey
from domain.listings import ListingFacts, ListingFilter
from domain.peers import PeerStanding
from domain.recording import Outcome, Submission
from domain.rules import Rules, RuleSet
from domain.shops import Shop
from domain.tier import Ladder, SalesGroup
from domain.totals import RatingState, Totals
from domain.windows import Windows


class ShopKey(NamedTuple):
    """What facts and totals of a shop are found by: its key, and the tenant it must belong to."""

    tenant_id: int
    shop_key: int


class StoredShop(msgspec.Struct, frozen=True):
    """A shop as it is kept, and the rules its stored states follow now."""

    tenant_id: int
    shop_key: int
    shop: Shop
    rules: RuleSet

    @property
    def key(self) -> ShopKey:
        """What its facts and totals are found by."""
        return ShopKey(self.tenant_id, self.shop_key)


class SnapshotVersion(NamedTuple):
    """One taking of the peer snapshot of a date; what it says never changes."""

    as_of: date
    taken_at: datetime
    mark: str
    """Tells it from another of the same instant."""


class ShopTotals(msgspec.Struct, frozen=True):
    """A shop with its running totals: the sums of the windows that end on `day`.

    Where no ladder serves the shop, `snapshot` is the newest up to `day`, if there is one.
    """

    kept: StoredShop
    ladder: Ladder | None
    snapshot: SnapshotVersion | None
    day: date
    totals: Totals


class SnapshotHeader(msgspec.Struct, frozen=True):
    """A peer snapshot: of how many shops, in how many groups by marketplace and category."""

    as_of: date
    taken_at: Instant
    shops: int
    groups: int


class GroupAsked(msgspec.Struct, frozen=True):
    """Shops whose sales are compared, and the day asked about.

    `snapshot` is the newest up to that day, where that is known already.
    """

    marketplace: str
    category: str
    currency: str
    day: date
    snapshot: SnapshotVersion | None = None


class ReviewsAsked(msgspec.Struct, frozen=True):
    """Which ratings: in a state, or all; given on the days from `start` to `end`."""

    state: RatingState | None
    start: date
    end: date


class StoredRating(msgspec.Struct, frozen=True):
    """A rating with its state; where it is removed, since when and why."""

    rating: Rating
    state: RatingState
    removed_at: datetime | None
    reason: Reason | None


PutOutcome: TypeAlias = Literal["created", "changed", "unchanged"] | Refusal
"""What became of one shop."""


class Ledger(Protocol):
    """Records events."""

    async def record(self, submission: Submission, now: datetime) -> list[Outcome]:
        """Record the events of one request; outcomes in their order, after commit."""


class Shops(Protocol):
    """Keeps shops."""

    async def put(self, act: Act, shops: Sequence[Shop]) -> list[PutOutcome]:
        """Create or replace shops of different ids, in one transaction, each for itself.

        A shop is refused with UnknownRules or ShopImmutable.
        """

    async def get(self, tenant_id: int, shop_id: str) -> StoredShop:
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

    async def put(self, act: Act, marketplace: str, category: str, ladder: Ladder) -> bool:
        """Create (True) or replace."""

    async def get(self, tenant_id: int, marketplace: str, category: str) -> Ladder:
        """One ladder; raises NotFound."""

    async def delete(self, act: Act, marketplace: str, category: str) -> None:
        """Remove one; raises NotFound."""


class Keys(Protocol):
    """Keeps API keys."""

    async def find(self, key_id: str, secret_sha256: bytes) -> ApiKey | None:
        """Return the key of an id and a secret, whether or not it still holds.

        None takes as long for an id that there is not as for a wrong secret.
        """

    async def add(self, act: Act, stored: StoredKey) -> None:
        """Keep a new key."""

    async def list(self, tenant_id: int) -> list[ApiKey]:
        """Keys of a tenant, newest first."""

    async def revoke(self, act: Act, key_id: str) -> None:
        """End a key; ending it again changes nothing. Raises NotFound."""


class Scores(Protocol):
    """Reads the totals that scores are computed from."""

    async def shop_totals(self, tenant_id: int, shop_ids: Sequence[str]) -> dict[str, ShopTotals]:
        """Shops by id with running totals; those that are not there are absent."""

    async def window_totals(self, of: Sequence[tuple[StoredShop, Windows]]) -> dict[int, Totals]:
        """Sum windows, by shop key: one windows' end for each shop.

        Raises RulesChanged where a shop's stored states follow other rules by now.
        """

    async def counter_totals(
        self, of: Sequence[tuple[StoredShop, Window]]
    ) -> dict[int, dict[str, int]]:
        """Sum counters that are no column, by shop key: a window for each shop.

        Raises RulesChanged where a shop's stored states follow other rules by now.
        """

    async def day_totals(self, kept: StoredShop, start: date, end: date) -> dict[date, Totals]:
        """Totals of the days from `start` to `end`, both included; empty days are absent.

        Raises RulesChanged where the shop's stored states follow other rules by now.
        """

    async def roll(self, now: datetime) -> int:
        """Move running totals that stand for an earlier day to each shop's today; how many."""

    async def replay(self, shop: ShopKey, rules: Rules) -> dict[date, Totals]:
        """Ratings by day under any rules, worked out from the ratings themselves."""


class Peers(Protocol):
    """Keeps peer snapshots."""

    async def take(self, act: Act, as_of: date) -> SnapshotHeader:
        """Take a snapshot of every shop of a tenant in place of the date's earlier one."""

    async def take_all(self, as_of: date, now: datetime, *, unless_since: datetime) -> None:
        """Take a snapshot for every tenant that has none taken after `unless_since`."""

    async def page(self, tenant_id: int, before: date | None, limit: int) -> list[SnapshotHeader]:
        """Up to `limit` snapshots, newest first, from the first date under `before`."""

    async def standing(self, kept: StoredShop, as_of: date) -> PeerStanding:
        """Return what the newest snapshot up to a day says of a shop and its peers."""


class PeerSales(Protocol):
    """Reads what snapshots tell of the sales of shops."""

    async def groups(
        self, tenant_id: int, asked: Collection[GroupAsked]
    ) -> dict[GroupAsked, SalesGroup]:
        """Sales of groups in the newest snapshot up to each day; absent without a snapshot."""

    async def own(self, kept: StoredShop, as_of: date) -> int | None:
        """Return a shop's sales in the snapshot of a date, where they are in its present group."""


class Listings(Protocol):
    """Reads listings."""

    async def page(
        self,
        shop: ShopKey,
        as_of: date,
        sieve: ListingFilter,
        *,
        units_from: date,
        after: str,
        limit: int,
    ) -> list[ListingFacts]:
        """Up to `limit` listings that exist by a day, by id, from the first id over `after`.

        Those that the sieve does not let through are absent.
        """


class Reviews(Protocol):
    """Reads ratings."""

    async def page(
        self, shop: ShopKey, asked: ReviewsAsked, after: tuple[datetime, str] | None, limit: int
    ) -> list[StoredRating]:
        """Up to `limit` ratings, newest first, then by id, behind the given one."""


class RuleSets(Protocol):
    """Keeps rules."""

    async def all(self, tenant_id: int) -> list[RuleSet]:
        """Built-in sets and the tenant's own, each in its newest version, by name."""

    async def get(self, tenant_id: int, name: str) -> RuleSet:
        """One set in its newest version; raises NotFound."""

    async def put(self, act: Act, name: str, rules: Rules) -> tuple[RuleSet, bool]:
        """Store a set, and rebuild the states of every shop that follows it; True if it is new.

        Equal content makes no new version. Raises BuiltInRules.
        """

    async def rebuild(self) -> int:
        """Rebuild the states of shops that still follow an older version; how many."""


class Health(Protocol):
    """Tells whether storage can serve."""

    async def is_ready(self) -> bool:
        """Whether the database answers and its schema is current."""
