"""Peer snapshots on Postgres."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from fractions import Fraction
from itertools import groupby
from operator import attrgetter
from typing import Any, Final, TypeAlias, TypeVar

import asyncpg
import msgspec
import structlog

from domain.acts import Act
from domain.counters import ROWS
from domain.days import ONE_DAY
from domain.errors import Unavailable
from domain.metrics import PARTS, RATIOS, WINDOW_OF_PART
from domain.peers import Group, PeerShops, PeerStatistics, Snapshot, snapshot
from domain.ports import SnapshotHeader, StoredShop
from domain.rules import Rules
from domain.windows import moves, windows, windows_before
from infra.postgres.audit_trail import record
from infra.postgres.database import Connection, Database, for_each
from infra.postgres.rules import RulesCache
from infra.postgres.statements import columns, pieces, sql

_GROUP_COLUMNS = [
    *("tenant_id", "as_of", "marketplace", "category", "metric", "currency", "shops"),
    *("mean_numerator", "mean_denominator", "min_numerator", "min_denominator"),
    *("max_numerator", "max_denominator"),
]
_MEMBERS_A_ROW: Final = 32
"""As many as Postgres stores in the row itself and not in a table beside it."""

_ROWS_AT_ONCE: Final = 1_000

_name = attrgetter("name")

T = TypeVar("T")

ShopKeys: TypeAlias = Sequence[int]


class Peers:
    """See `domain.ports.Peers`."""

    def __init__(self, database: Database, rules: RulesCache) -> None:
        self._database = database
        self._rules = rules

    async def take_snapshot(self, act: Act, as_of: date) -> SnapshotHeader:
        """Take a snapshot of a tenant's shops, in place of the date's earlier one.

        A shop whose sums cannot be computed is left out.
        """
        taken, _ = await self._rank(act.tenant_id, as_of)

        async def work(connection: Connection) -> None:
            await connection.execute(sql("begin_snapshot"), act.tenant_id, as_of, act.at, None)
            await _store(connection, act.tenant_id, as_of, taken)
            await record(connection, act, [str(as_of)])

        await self._database.run(work)
        return SnapshotHeader(as_of, act.at, taken.shops, taken.names)

    async def take_snapshots(self, as_of: date, now: datetime, *, unless_since: datetime) -> None:
        """Take a snapshot for every tenant that has none taken after `unless_since`.

        The first failure is raised when all are done; a shop that fails is left out.
        """

        async def take(tenant_id: int) -> None:
            if await self._database.fetch("snapshot_since", tenant_id, as_of, unless_since):
                return
            taken, failure = await self._rank(tenant_id, as_of)

            async def work(connection: Connection) -> None:
                # Another worker may have been faster.
                if await connection.fetchval(
                    sql("begin_snapshot"), tenant_id, as_of, now, unless_since
                ):
                    await _store(connection, tenant_id, as_of, taken)

            await self._database.run(work)
            if failure is not None:
                raise failure

        rows = await self._database.fetch("tenants")
        await for_each(rows, lambda row: take(row["tenant_id"]))

    async def _rank(self, tenant_id: int, as_of: date) -> tuple["_Ranked", Exception | None]:
        """Rank all shops, or those that can be ranked, as of one moment.

        In the latter case also return the failure of the others, which are logged.
        """

        async def work(connection: Connection, left_out: ShopKeys = ()) -> _Ranked:
            return await _ranked(await self.window_sums(connection, tenant_id, as_of, left_out))

        try:
            return await self._database.run(work, snapshot=True), None
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - it may be the fault of one shop among many
            failure = error
        rows = await self._database.fetch("shops_of_tenant", tenant_id)
        shop_ids = {row["shop_key"]: row["shop_id"] for row in rows}
        troubled = await self._troubled(tenant_id, as_of, list(shop_ids), ())
        if not troubled:
            raise failure
        for shop_key in troubled:
            structlog.get_logger().warning(
                "left out of a snapshot",
                tenant_id=tenant_id,
                shop_id=shop_ids[shop_key],
                error=type(failure).__name__,
            )
        left = await self._database.run(
            lambda connection: work(connection, troubled), snapshot=True
        )
        return left, failure

    async def _troubled(
        self, tenant_id: int, as_of: date, shop_keys: ShopKeys, others: ShopKeys
    ) -> list[int]:
        """Return the shops, beside the others, whose sums cannot be computed, by halving."""

        async def rank(connection: Connection) -> None:
            for row in await self.window_sums(connection, tenant_id, as_of, others):
                snapshot([row.peers])

        try:
            await self._database.run(rank, snapshot=True)
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001 - it is the fault of one of these shops or more
            if len(shop_keys) == 1:
                return [*shop_keys]
            half = len(shop_keys) // 2
            first, second = shop_keys[:half], shop_keys[half:]
            return [
                *await self._troubled(tenant_id, as_of, first, [*others, *second]),
                *await self._troubled(tenant_id, as_of, second, [*others, *first]),
            ]
        return []

    async def page(self, tenant_id: int, before: date | None, limit: int) -> list[SnapshotHeader]:
        """Return up to `limit` snapshots, newest first, from the first date under `before`."""
        rows = await self._database.fetch("snapshots_page", tenant_id, before, limit)
        return [SnapshotHeader(*row) for row in rows]

    async def statistics(self, stored: StoredShop, as_of: date) -> PeerStatistics:
        """Return the newest statistics of a shop and its peers up to a day."""
        rows = await self._database.fetch(
            "peer_statistics",
            stored.tenant_id,
            as_of,
            stored.shop.marketplace,
            stored.shop.category,
            stored.shop.currency,
            stored.shop_key,
        )
        if not rows:
            return PeerStatistics()
        return PeerStatistics(
            as_of=rows[0]["as_of"],
            groups={row["metric"]: _group(row) for row in rows if row["metric"]},
            below={row["metric"]: row["below"] for row in rows if row["below"] is not None},
        )

    async def window_sums(
        self,
        connection: Connection,
        tenant_id: int,
        as_of: date,
        left_out: ShopKeys = (),
    ) -> list["PeerRow"]:
        """Return the sums of windows that end on a day, of all shops but some."""
        rows = await connection.fetch(sql("peer_totals"), tenant_id, left_out)
        shops = [PeerRow(row, await self._rules_of(connection, tenant_id, row)) for row in rows]
        places = {
            key: (row.peers.sums, place)
            for row in shops
            for place, key in enumerate(row.peers.shop_keys)
        }
        of_shops = tenant_id, left_out
        await _move_to(connection, of_shops, as_of, shops, places)
        await _add_rows(connection, of_shops, as_of, shops, places)
        return shops

    async def _rules_of(self, connection: Connection, tenant_id: int, row: asyncpg.Record) -> Rules:
        name, version = row["rules"], row["rules_version"]
        return (await self._rules.version(connection, tenant_id, name, version)).rules


class PeerRow:
    """Shops of one group, currency, rules and day of running totals, with their sums."""

    def __init__(self, row: asyncpg.Record, rules: Rules) -> None:
        self.name = (row["marketplace"], row["category"])
        self.totals_key = (row["rules"], row["rules_version"], row["day"])
        self.peers = PeerShops(
            row["currency"], rules, row["shop_keys"], {part: _integers(row[part]) for part in PARTS}
        )


OfShops: TypeAlias = tuple[int, ShopKeys]
"""A tenant, and the shops that are left out."""


class _Ranked(msgspec.Struct, frozen=True):
    """The rows of a snapshot's groups and members, and the numbers of its shops and groups."""

    groups: list[tuple[object, ...]]
    members: list[tuple[object, ...]]
    shops: int
    names: int


async def _ranked(rows: Sequence[PeerRow]) -> _Ranked:
    """Rank shops within each group."""
    groups: list[tuple[object, ...]] = []
    members: list[tuple[object, ...]] = []
    names = set()
    for name, peers in groupby(sorted(rows, key=_name), _name):
        taken = snapshot([row.peers for row in peers])
        groups += [(*name, *row) for row in _group_rows(taken)]
        members += [(*name, *row) for row in _member_rows(taken)]
        names.add(name)
        await asyncio.sleep(0)
    return _Ranked(groups, members, sum(len(row.peers.shop_keys) for row in rows), len(names))


async def _store(connection: Connection, tenant_id: int, as_of: date, taken: _Ranked) -> None:
    """Store the groups and members of a snapshot whose header is locked."""
    for table in ("groups", "members"):
        await connection.execute(sql(f"delete_peer_{table}"), tenant_id, as_of)
    await connection.copy_records_to_table(
        "peer_groups",
        columns=_GROUP_COLUMNS,
        records=[(tenant_id, as_of, *group) for group in taken.groups],
    )
    for some in pieces(taken.members, _ROWS_AT_ONCE):
        columns = zip(*some, strict=True)
        await connection.execute(sql("insert_peer_members"), tenant_id, as_of, *columns)
    metrics = [metric.key for metric in RATIOS]
    await connection.execute(
        sql("finish_snapshot"), tenant_id, as_of, taken.shops, taken.names, metrics
    )


Places: TypeAlias = Mapping[int, tuple[Mapping[str, list[int]], int]]
"""Where the sums of each shop are, by shop key."""


async def _move_to(
    connection: Connection,
    of_shops: OfShops,
    as_of: date,
    rows: Sequence[PeerRow],
    places: Places,
) -> None:
    """Move the sums of shops to the windows that end on a day."""
    rules = {row.totals_key: row.peers.rules for row in rows}
    steps = [
        (totals_key, move)
        for totals_key, of in rules.items()
        for move in moves(windows_before(totals_key[-1], of), windows(as_of, of))
    ]
    arguments = [
        (*totals_key, move.start, move.until, *(sign != 0 for sign in move.signs.values()))
        for totals_key, move in steps
    ]
    for moved in await connection.fetch(sql("peer_days"), *of_shops, *columns(arguments, 8)):
        signs = steps[moved["place"] - 1][1].signs
        shops = [places[key] for key in moved["shop_keys"]]
        for part, window in WINDOW_OF_PART.items():
            if sign := signs[window]:
                for (sums, place), value in zip(shops, _integers(moved[part]), strict=True):
                    sums[part][place] += sign * value
        await asyncio.sleep(0)


async def _add_rows(
    connection: Connection,
    of_shops: OfShops,
    as_of: date,
    rows: Sequence[PeerRow],
    places: Places,
) -> None:
    """Add the counters that are rows, over the windows that end on a day."""
    rules = {row.totals_key[:2]: row.peers.rules for row in rows}
    terms = [
        (part, weight, (*rules_key, counter, windows(as_of, of).start_of(WINDOW_OF_PART[part])))
        for rules_key, of in rules.items()
        for part, weights in PARTS.items()
        for counter, weight in weights.items()
        if counter in ROWS
    ]
    if not terms:
        return
    arguments = columns([argument for _, _, argument in terms], 4)
    query = sql("peer_counters")
    for summed in await connection.fetch(query, *of_shops, as_of + ONE_DAY, *arguments):
        part, weight, _ = terms[summed["place"] - 1]
        sums, place = places[summed["shop_key"]]
        sums[part][place] += weight * int(summed["n"])


def _integers(values: list[Any]) -> list[int]:
    return list(map(int, values)) if isinstance(values[0], str) else values


def _group_rows(taken: Snapshot) -> Iterator[tuple[object, ...]]:
    for (metric, currency), group in taken.groups.items():
        yield (
            metric,
            currency,
            group.shops,
            _bytes(group.mean.numerator),
            _bytes(group.mean.denominator),
            *group.min.as_integer_ratio(),
            *group.max.as_integer_ratio(),
        )


def _member_rows(taken: Snapshot) -> Iterator[tuple[object, ...]]:
    for currency, members in sorted(taken.members.items()):
        for some in pieces(members, _MEMBERS_A_ROW):
            below = [places for member in some for places in member.below]
            keys, sales = zip(*((member.shop_key, member.sales) for member in some), strict=True)
            yield currency, keys[-1], _array(keys), _array(sales), _array(below)


def _group(row: Any) -> Group:
    return Group(
        shops=row["shops"],
        mean=Fraction(_int(row["mean_numerator"]), _int(row["mean_denominator"])),
        min=Fraction(int(row["min_numerator"]), int(row["min_denominator"])),
        max=Fraction(int(row["max_numerator"]), int(row["max_denominator"])),
    )


def _array(values: Sequence[int | None]) -> str:
    # Arrays of one length each, many a statement: the driver takes arrays of arrays for matrices.
    return "{" + msgspec.json.encode(values)[1:-1].decode() + "}"


def _bytes(value: int) -> bytes:
    return value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)


def _int(value: bytes) -> int:
    return int.from_bytes(value, "big", signed=True)
