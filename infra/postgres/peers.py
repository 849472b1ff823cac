"""Peer snapshots on Postgres."""

from collections.abc import Sequence
from datetime import date, datetime
from fractions import Fraction
from functools import partial
from operator import attrgetter
from typing import Any

from domain import tier
from domain.acts import Act
from domain.peers import Group, PeerShop, PeerStanding, Snapshot, scored, snapshot
from domain.ports import KeptShop, SnapshotHeader
from domain.rules import BUILT_IN
from domain.totals import DIMENSIONS, PAID, REFUNDED, nothing
from infra.postgres.audit_trail import record
from infra.postgres.database import Connection, Database, for_each
from infra.postgres.ledger import copy
from infra.postgres.rules import RuleBook
from infra.postgres.statements import sql

_GROUP_COLUMNS = [
    *("tenant_id", "as_of", "marketplace", "category", "dimension", "shops"),
    *("mean_numerator", "mean_denominator", "min_numerator", "min_denominator"),
    *("max_numerator", "max_denominator"),
]
_SALES_COLUMNS = ["tenant_id", "as_of", "marketplace", "category", "currency", "sales"]
_SHOP_COLUMNS = [
    *("tenant_id", "as_of", "shop_key", "marketplace", "category", "currency", "sales"),
    *DIMENSIONS,
]

BUILT_IN_WINDOWS: list[list[Any]] = [
    [found.name for found in BUILT_IN.values()],
    [found.version for found in BUILT_IN.values()],
    [found.rules.rating_window_days for found in BUILT_IN.values()],
    [found.rules.sales_window_days for found in BUILT_IN.values()],
]
"""Names, versions and lengths of the windows of the rules that no database keeps, in columns."""


class Peers:
    """See `domain.ports.Peers`."""

    def __init__(self, database: Database, rules: RuleBook) -> None:
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
        shops = await self._shops(connection, tenant_id, as_of)
        await _write(connection, tenant_id, as_of, shops, snapshot(shops))
        groups = len({(shop.marketplace, shop.category) for shop in shops})
        await connection.execute(sql("finish_snapshot"), tenant_id, as_of, len(shops), groups)
        return SnapshotHeader(as_of, now, len(shops), groups)

    async def page(self, tenant_id: int, before: date | None, limit: int) -> list[SnapshotHeader]:
        """Up to `limit` snapshots, newest first, from the first date under `before`."""
        rows = await self._database.fetch("snapshots_page", tenant_id, before, limit)
        return [SnapshotHeader(*row) for row in rows]

    async def standing(self, kept: KeptShop, as_of: date) -> PeerStanding:
        """What the newest snapshot up to a day says of a shop and its peers."""
        rows = await self._database.fetch(
            "peer_standing",
            kept.tenant_id,
            as_of,
            kept.shop.marketplace,
            kept.shop.category,
            kept.shop_key,
        )
        if not rows:
            return PeerStanding()
        return PeerStanding(
            as_of=rows[0]["as_of"],
            groups={row["dimension"]: _group(row) for row in rows if row["dimension"]},
            percentiles={
                dimension: rows[0][dimension]
                for dimension in DIMENSIONS
                if rows[0][dimension] is not None
            },
        )

    async def _shops(self, connection: Connection, tenant_id: int, as_of: date) -> list[PeerShop]:
        rows = await connection.fetch(sql("peer_totals"), tenant_id, as_of, *BUILT_IN_WINDOWS)
        followed = {
            (name, version): await self._rules.version(connection, tenant_id, name, version)
            for name, version in {(row["rules"], row["rules_version"]) for row in rows}
        }
        shops = []
        for *named, name, version, dc, ds, sc, ss, lc, ls, paid, refunded in rows:
            shop_key, marketplace, category, currency = named
            rules = followed[name, version].rules
            totals = nothing()
            totals[PAID], totals[REFUNDED] = paid, refunded
            tallies = scored(((dc, ds), (sc, ss), (lc, ls)), rules)
            sales = tier.sales(totals, rules)
            shops.append(PeerShop(shop_key, marketplace, category, currency, sales, tallies))
        return shops


async def _write(
    connection: Connection,
    tenant_id: int,
    as_of: date,
    shops: Sequence[PeerShop],
    taken: Snapshot,
) -> None:
    for table in ("groups", "sales", "shops"):
        await connection.execute(sql(f"delete_peer_{table}"), tenant_id, as_of)
    top = (tenant_id, as_of)
    groups = [(*top, *key, *_group_row(group)) for key, group in sorted(taken.groups.items())]
    sales = [(*top, *key, sold) for key, sold in sorted(taken.sales.items())]
    placed = [taken.percentiles[dimension] for dimension in DIMENSIONS]
    members = [
        (*top, *shop[:-1], *[percentiles.get(shop.shop_key) for percentiles in placed])
        for shop in sorted(shops, key=attrgetter("shop_key"))
    ]
    await copy(connection, "peer_groups", _GROUP_COLUMNS, groups)
    await copy(connection, "peer_sales", _SALES_COLUMNS, sales)
    await copy(connection, "peer_shops", _SHOP_COLUMNS, members)


def _group_row(group: Group) -> tuple[object, ...]:
    return (
        group.shops,
        _bytes(group.mean.numerator),
        _bytes(group.mean.denominator),
        *group.min.as_integer_ratio(),
        *group.max.as_integer_ratio(),
    )


def _group(row: Any) -> Group:
    return Group(
        shops=row["shops"],
        mean=Fraction(_int(row["mean_numerator"]), _int(row["mean_denominator"])),
        min=Fraction(row["min_numerator"], row["min_denominator"]),
        max=Fraction(row["max_numerator"], row["max_denominator"]),
    )


def _bytes(value: int) -> bytes:
    return value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)


def _int(value: bytes) -> int:
    return int.from_bytes(value, "big", signed=True)
