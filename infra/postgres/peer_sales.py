"""Sales of groups of shops on Postgres, as snapshots took them."""

from array import array
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Final, NamedTuple, TypeAlias

from domain.ports import GroupAsked, SnapshotVersion, StoredShop
from domain.tier import SalesGroup
from infra.postgres.database import Database
from infra.request_batcher import RequestBatcher

LANES: Final = 2
GROUPS_READ_AT_ONCE: Final = 500
READS_WAITING: Final = 20_000

REMEMBERED_MAX: Final = 1_000_000
"""Sales that are remembered, of all groups together, at 8 bytes each."""

_GROUP_SIZE: Final = 64
"""What remembering a group costs beside its sales, in as many of them."""

Asked: TypeAlias = tuple[int, Collection[GroupAsked]]
"""A tenant, and groups of its shops."""

Found: TypeAlias = dict[GroupAsked, SalesGroup]


class _Taken(NamedTuple):
    """A group in one taking of a snapshot; what it says never changes."""

    tenant_id: int
    snapshot: SnapshotVersion
    marketplace: str
    category: str
    currency: str

    @property
    def row_key(self) -> tuple[object, ...]:
        """What its row is found by: the last taking alone is kept."""
        return self.tenant_id, self.snapshot.as_of, *self[2:]


class PeerSales:
    """See `domain.ports.PeerSales`.

    Groups are remembered, but never trusted: each read asks which taking of a snapshot is the
    newest, or has just been told, so one that was taken again, here or by another process, is seen
    at once.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._remembered: dict[_Taken, SalesGroup] = {}
        self._size = 0
        self._reads: RequestBatcher[Asked, Found] = RequestBatcher(
            self._read,
            queues=LANES,
            weight_max=GROUPS_READ_AT_ONCE,
            waiting_max=READS_WAITING,
            patience_s=database.patience_s,
        )

    async def groups(self, tenant_id: int, asked: Collection[GroupAsked]) -> Found:
        """Sales of groups in the newest snapshot up to each day; absent without a snapshot."""
        found: Found = {}
        for group in asked:
            known = group.snapshot and self._remembered.get(
                _taken(tenant_id, group.snapshot, group)
            )
            if known is None:
                return await self._reads.ask((tenant_id, asked), len(asked))
            found[group] = known
        return found

    async def own(self, kept: StoredShop, as_of: date) -> int | None:
        """Return a shop's sales in the snapshot of a date, where they are in its present group."""
        shop = kept.shop
        rows = await self._database.fetch(
            "peer_sale",
            kept.tenant_id,
            as_of,
            shop.marketplace,
            shop.category,
            shop.currency,
            kept.shop_key,
        )
        sales = rows[0]["sales"] if rows else None
        return None if sales is None else int(sales)

    async def _read(self, asked: Sequence[Asked]) -> list[Found]:
        days = {
            (tenant_id, group.day)
            for tenant_id, groups in asked
            for group in groups
            if group.snapshot is None
        }
        newest = await self._newest(days) if days else {}
        taken = [
            {
                group: _taken(tenant_id, snapshot, group)
                for group in groups
                if (snapshot := group.snapshot or newest.get((tenant_id, group.day)))
            }
            for tenant_id, groups in asked
        ]
        known = await self._known({one for groups in taken for one in groups.values()})
        return [{group: known[one] for group, one in groups.items()} for groups in taken]

    async def _newest(
        self, days: Collection[tuple[int, date]]
    ) -> dict[tuple[int, date], SnapshotVersion]:
        rows = await self._database.fetch("newest_snapshots", *zip(*days, strict=True))
        return {(tenant_id, day): SnapshotVersion(*taking) for tenant_id, day, *taking in rows}

    async def _known(self, taken: Iterable[_Taken]) -> dict[_Taken, SalesGroup]:
        known = {one: self._remembered.get(one) for one in taken}
        missing = [one for one, group in known.items() if group is None]
        found = {one: group for one, group in known.items() if group is not None}
        if missing:
            # Two takings of one date are of one row, which says what the later one found.
            rows_asked = {one.row_key for one in missing}
            rows = await self._database.fetch("sales_groups", *zip(*rows_asked, strict=True))
            sales: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
            for *key, some in rows:
                sales[tuple(key)] += map(int, some[1:-1].split(","))
            for one in missing:
                of_group = _packed(sorted(sales[one.row_key]))
                found[one] = SalesGroup(one.snapshot.as_of, of_group, None)
                self._remember(one, found[one])
        return found

    def _remember(self, taken: _Taken, group: SalesGroup) -> None:
        self._forget(taken)
        size = _GROUP_SIZE + len(group.sales)
        while self._remembered and self._size + size > REMEMBERED_MAX:
            self._forget(next(iter(self._remembered)))
        if size <= REMEMBERED_MAX:
            self._remembered[taken] = group
            self._size += size

    def _forget(self, taken: _Taken) -> None:
        group = self._remembered.pop(taken, None)
        if group is not None:
            self._size -= _GROUP_SIZE + len(group.sales)


def _taken(tenant_id: int, snapshot: SnapshotVersion, group: GroupAsked) -> _Taken:
    return _Taken(tenant_id, snapshot, group.marketplace, group.category, group.currency)


def _packed(sales: list[int]) -> Sequence[int]:
    try:
        return array("q", sales)
    except OverflowError:
        return sales
