"""Sales of groups of shops in peer snapshots on Postgres."""

from array import array
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Final, NamedTuple, TypeAlias

from domain.ports import SalesGroupQuery, SnapshotVersion, StoredShop
from domain.tier import SalesGroup
from infra.postgres.database import Database
from infra.request_batcher import RequestBatcher

READ_QUEUES: Final = 2
GROUPS_READ_AT_ONCE: Final = 500
READS_WAITING: Final = 20_000

REMEMBERED_MAX: Final = 1_000_000
"""Sales that are remembered, of all groups together, at 8 bytes each."""

_GROUP_SIZE: Final = 64
"""The memory of a remembered group without its sales, counted in sales."""

Groups: TypeAlias = tuple[int, Collection[SalesGroupQuery]]
"""A tenant, and groups of its shops."""

Sales: TypeAlias = dict[SalesGroupQuery, SalesGroup]


class _SnapshotGroup(NamedTuple):
    """A group in a version of a snapshot, which never changes."""

    tenant_id: int
    snapshot: SnapshotVersion
    marketplace: str
    category: str
    currency: str

    @property
    def row_key(self) -> tuple[object, ...]:
        """Return the key of its rows: only the last version of a date is stored."""
        return self.tenant_id, self.snapshot.as_of, *self[2:]


class PeerSales:
    """See `domain.ports.PeerSales`.

    Groups are remembered by the version of their snapshot. Each read knows the newest version or
    looks it up, so a snapshot that any process has taken again is used at once.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._remembered: dict[_SnapshotGroup, SalesGroup] = {}
        self._size = 0
        self._reads: RequestBatcher[Groups, Sales] = RequestBatcher(
            self._read,
            queues=READ_QUEUES,
            weight_max=GROUPS_READ_AT_ONCE,
            waiting_max=READS_WAITING,
            timeout_s=database.work_timeout_s,
        )

    async def groups(self, tenant_id: int, groups: Collection[SalesGroupQuery]) -> Sales:
        """Return the sales of groups in the newest snapshots up to their days."""
        sales: Sales = {}
        for group in groups:
            known = group.snapshot and self._remembered.get(
                _snapshot_group(tenant_id, group.snapshot, group)
            )
            if known is None:
                return await self._reads.submit((tenant_id, groups), len(groups))
            sales[group] = known
        return sales

    async def own(self, stored: StoredShop, as_of: date) -> int | None:
        """Return a shop's sales in the snapshot of a date, if in its present group."""
        shop = stored.shop
        rows = await self._database.fetch(
            "peer_sale",
            stored.tenant_id,
            as_of,
            shop.marketplace,
            shop.category,
            shop.currency,
            stored.shop_key,
        )
        sales = rows[0]["sales"] if rows else None
        return None if sales is None else int(sales)

    async def _read(self, requests: Sequence[Groups]) -> list[Sales]:
        days = {
            (tenant_id, group.day)
            for tenant_id, groups in requests
            for group in groups
            if group.snapshot is None
        }
        newest = await self._newest(days) if days else {}
        snapshot_groups = [
            {
                group: _snapshot_group(tenant_id, snapshot, group)
                for group in groups
                if (snapshot := group.snapshot or newest.get((tenant_id, group.day)))
            }
            for tenant_id, groups in requests
        ]
        known = await self._known(
            {member for groups in snapshot_groups for member in groups.values()}
        )
        return [
            {group: known[member] for group, member in groups.items()} for groups in snapshot_groups
        ]

    async def _newest(
        self, days: Collection[tuple[int, date]]
    ) -> dict[tuple[int, date], SnapshotVersion]:
        rows = await self._database.fetch("newest_snapshots", *zip(*days, strict=True))
        return {(tenant_id, day): SnapshotVersion(*version) for tenant_id, day, *version in rows}

    async def _known(self, keys: Iterable[_SnapshotGroup]) -> dict[_SnapshotGroup, SalesGroup]:
        remembered = {key: self._remembered.get(key) for key in keys}
        missing = [key for key, group in remembered.items() if group is None]
        known = {key: group for key, group in remembered.items() if group is not None}
        if missing:
            # Two versions of one date have the same rows, which hold the later version.
            row_keys = {key.row_key for key in missing}
            rows = await self._database.fetch("sales_groups", *zip(*row_keys, strict=True))
            sales: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
            for *row_key, some in rows:
                sales[tuple(row_key)] += map(int, some[1:-1].split(","))
            for key in missing:
                of_group = _packed(sorted(sales[key.row_key]))
                known[key] = SalesGroup(key.snapshot.as_of, of_group, None)
                self._remember(key, known[key])
        return known

    def _remember(self, key: _SnapshotGroup, group: SalesGroup) -> None:
        self._forget(key)
        size = _GROUP_SIZE + len(group.sales)
        while self._remembered and self._size + size > REMEMBERED_MAX:
            self._forget(next(iter(self._remembered)))
        if size <= REMEMBERED_MAX:
            self._remembered[key] = group
            self._size += size

    def _forget(self, key: _SnapshotGroup) -> None:
        group = self._remembered.pop(key, None)
        if group is not None:
            self._size -= _GROUP_SIZE + len(group.sales)


def _snapshot_group(
    tenant_id: int, snapshot: SnapshotVersion, group: SalesGroupQuery
) -> _SnapshotGroup:
    return _SnapshotGroup(tenant_id, snapshot, group.marketplace, group.category, group.currency)


def _packed(sales: list[int]) -> Sequence[int]:
    try:
        return array("q", sales)
    except OverflowError:
        return sales
