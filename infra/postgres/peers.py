"""Peer snapshots on Postgres."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from fractions import Fraction
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, TypeVar

import asyncpg

from domain import tier
from domain.acts import Act
from domain.peers import Group, PeerShops, PeerStanding, Snapshot, scored, snapshot
from domain.ports import SnapshotHeader, StoredShop
from domain.rules import BUILT_IN
from domain.totals import DIMENSIONS
from infra.postgres.audit_trail import record
from infra.postgres.database import Connection, Database, for_each
from infra.postgres.rules import RulesCache
from infra.postgres.statements import sql

T = TypeVar("T")

_GROUP_COLUMNS = [
    *("tenant_id", "as_of", "marketplace", "category", "dimension", "shops"),
    *("mean_numerator", "mean_denominator", "min_numerator", "min_denominator"),
    *("max_numerator", "max_denominator"),
]
_MEMBERS_A_ROW: Final = 32
"""As many as stay in their row, outside of which a read would have to look for them."""

_ROWS_AT_ONCE: Final = 1_000

_named = itemgetter("marketplace", "category")

BUILT_IN_WINDOWS: list[list[Any]] = [
    [found.name for found in BUILT_IN.values()],
    [found.version for found in BUILT_IN.values()],
    [found.rules.rating_window_days for found in BUILT_IN.values()],
    [found.rules.sales_window_days for found in BUILT_IN.values()],
]
"""Names, versions and lengths of the windows of the rules that no database keeps, in columns."""


class Peers:
    """See `domain.ports.Peers`."""

    def __init__(self, database: Database, rules: RulesCache) -> None:
        self._database = database
        self._rules = rules

    async def take(self, act: Act, as_of: date) -> SnapshotHeader:
        """Take a snapshot of every shop of a tenant in place of the date's earlier one."""

        async def work(connection: Connection) -> SnapshotHeader:
            await connection.execute(sql("claim_snapshot"), act.tenant_id, as_of, act.at, None)
            taken = await self._take(connection, act.tenant_id, as_of, act.at)
            await record(connection, act, [str(as_of)])
            return taken

        return await self._database.run(work)

    async def take_all(self, as_of: date, now: datetime, *, unless_since: datetime) -> None:
        """Take a snapshot for every tenant that has none taken after `unless_since`."""

        async def work(connection: Connection, tenant_id: int) -> None:
            if await connection.fetchval(
                sql("claim_snapshot"), tenant_id, as_of, now, unless_since
            ):
                await self._take(connection, tenant_id, as_of, now)

        await for_each(
            await self._database.fetch("tenants"),
            lambda row: self._database.run(partial(work, tenant_id=row["tenant_id"])),
        )

    async def _take(
        self, connection: Connection, tenant_id: int, as_of: date, now: datetime
    ) -> SnapshotHeader:
        rows = await connection.fetch(sql("peer_totals"), tenant_id, as_of, *BUILT_IN_WINDOWS)
        groups: list[tuple[object, ...]] = []
        members: list[tuple[object, ...]] = []
        names = set()
        for named, peers in groupby(sorted(rows, key=_named), _named):
            taken = snapshot([await self._shops(connection, tenant_id, row) for row in peers])
            groups += [(tenant_id, as_of, *named, *row) for row in _group_rows(taken)]
            members += [(*named, *row) for row in _member_rows(taken)]
            names.add(named)
            await asyncio.sleep(0)
        for table in ("groups", "members"):
            await connection.execute(sql(f"delete_peer_{table}"), tenant_id, as_of)
        await connection.copy_records_to_table(
            "peer_groups", columns=_GROUP_COLUMNS, records=groups
        )
        for some in _pieces(members, _ROWS_AT_ONCE):
            columns = zip(*some, strict=True)
            await connection.execute(sql("insert_peer_members"), tenant_id, as_of, *columns)
        shops = sum(len(row["shop_keys"]) for row in rows)
        await connection.execute(sql("finish_snapshot"), tenant_id, as_of, shops, len(names))
        return SnapshotHeader(as_of, now, shops, len(names))

    async def page(self, tenant_id: int, before: date | None, limit: int) -> list[SnapshotHeader]:
        """Up to `limit` snapshots, newest first, from the first date under `before`."""
        rows = await self._database.fetch("snapshots_page", tenant_id, before, limit)
        return [SnapshotHeader(*row) for row in rows]

    async def standing(self, kept: StoredShop, as_of: date) -> PeerStanding:
        """What the newest snapshot up to a day says of a shop and its peers."""
        rows = await self._database.fetch(
            "peer_standing",
            kept.tenant_id,
            as_of,
            kept.shop.marketplace,
            kept.shop.category,
            kept.shop.currency,
            kept.shop_key,
        )
        if not rows:
            return PeerStanding()
        return PeerStanding(
            as_of=rows[0]["as_of"],
            groups={row["dimension"]: _group(row) for row in rows if row["dimension"]},
            below={
                dimension: rows[0][dimension]
                for dimension in DIMENSIONS
                if rows[0][dimension] is not None
            },
        )

    async def _shops(
        self, connection: Connection, tenant_id: int, row: asyncpg.Record
    ) -> PeerShops:
        _, _, currency, name, version, shop_keys, dc, ds, sc, ss, lc, ls, paid, refunded = row
        rules = (await self._rules.version(connection, tenant_id, name, version)).rules
        sales = [tier.net_sales(*sums, rules) for sums in zip(paid, refunded, strict=True)]
        tallies = [scored(*sums, rules) for sums in ((dc, ds), (sc, ss), (lc, ls))]
        return PeerShops(currency, shop_keys, sales, tallies)


def _group_rows(taken: Snapshot) -> Iterator[tuple[object, ...]]:
    for dimension, group in taken.groups.items():
        yield (
            dimension,
            group.shops,
            _bytes(group.mean.numerator),
            _bytes(group.mean.denominator),
            *group.min.as_integer_ratio(),
            *group.max.as_integer_ratio(),
        )


def _member_rows(taken: Snapshot) -> Iterator[tuple[object, ...]]:
    for currency, members in sorted(taken.members.items()):
        for some in _pieces(members, _MEMBERS_A_ROW):
            yield currency, some[-1][0], *(_array(column) for column in zip(*some, strict=True))


def _group(row: Any) -> Group:
    return Group(
        shops=row["shops"],
        mean=Fraction(_int(row["mean_numerator"]), _int(row["mean_denominator"])),
        min=Fraction(row["min_numerator"], row["min_denominator"]),
        max=Fraction(row["max_numerator"], row["max_denominator"]),
    )


def _pieces(rows: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _array(values: Sequence[int | None]) -> str:
    # Arrays of one length each, many a statement: the driver takes arrays of arrays for matrices.
    return "{" + ",".join("null" if value is None else str(value) for value in values) + "}"


def _bytes(value: int) -> bytes:
    return value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)


def _int(value: bytes) -> int:
    return int.from_bytes(value, "big", signed=True)
