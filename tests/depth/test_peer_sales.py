"""Cached sales of peers: never stale, read once, and bounded."""

from datetime import date

import msgspec
import pytest

from domain.ports import SalesGroupQuery, SnapshotVersion
from domain.rules import TAOBAO
from infra.postgres import peer_sales
from infra.postgres.database import Database
from infra.postgres.keys import Keys
from infra.postgres.peer_sales import PeerSales
from tests.api.samples import event
from tests.depth.session import Session

DAY = date(2026, 11, 20)
GROUP = SalesGroupQuery("m", "c", "CNY", DAY)
SHOPS = [f"s-{number}" for number in range(TAOBAO.peer_min_shops)]
SHOP = {"marketplace": "m", "category": "c", "currency": "CNY", "rules": "taobao"}


async def sell(service: Session, name: str) -> None:
    """Pay an order of 10.00 in each shop."""
    lines = [{"listing_id": "l", "quantity": 1, "amount": "10.00"}]
    await service.post(
        [
            event(
                "order.paid",
                id=f"{name}-{shop}",
                subject=shop,
                time=f"{DAY}T04:00:00Z",
                data={"order_id": f"{name}-{shop}", "buyer_id": "b", "lines": lines},
            )
            for shop in SHOPS
        ]
    )


async def test_a_snapshot_taken_again_at_the_same_instant_is_seen_at_once_by_every_worker(
    service: Session, database: Database
) -> None:
    tenant_id = await Keys(database).find_tenant("acme")
    for shop in SHOPS:
        await service.put(f"shops/{shop}", SHOP)
    other = PeerSales(database)
    for sold in range(4):
        await service.snapshot(DAY)
        groups = await other.groups(tenant_id, [GROUP])
        assert list(groups[GROUP].sales) == [1000 * sold] * len(SHOPS)
        # One unit above what all peers sold in the snapshot is the first cut.
        detail = await service.read("shops/s-0/tier", as_of=f"{DAY}")
        assert detail["tier"]["next"]["amount"] == f"{10 * sold}.01"
        await sell(service, f"{sold}")
        card = await service.read("shops/s-0/scorecard", as_of=f"{DAY}")
        assert card["tier"]["level"] == 7


async def test_two_versions_of_a_snapshot_can_be_read_at_once(
    service: Session, database: Database
) -> None:
    tenant_id = await Keys(database).find_tenant("acme")
    for shop in SHOPS:
        await service.put(f"shops/{shop}", SHOP)
    await service.snapshot(DAY)
    [row] = await database.fetch("newest_snapshots", [tenant_id], [DAY])
    earlier = msgspec.structs.replace(GROUP, snapshot=SnapshotVersion(*row[2:]))
    await service.snapshot(DAY)
    groups = await PeerSales(database).groups(tenant_id, [earlier, GROUP])
    assert [len(group.sales) for group in groups.values()] == [len(SHOPS)] * 2


async def test_a_group_is_read_once_and_forgotten_for_others(
    service: Session, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []
    fetch = Database.fetch

    async def recorded_fetch(self: Database, name: str, *arguments: object) -> object:
        reads.append(name)
        return await fetch(self, name, *arguments)

    monkeypatch.setattr(Database, "fetch", recorded_fetch)
    tenant_id = await Keys(database).find_tenant("acme")
    await service.put("shops/s-0", SHOP)
    await service.put("shops/s-1", {**SHOP, "category": "d"})
    await service.snapshot(DAY)
    other = SalesGroupQuery("m", "d", "CNY", DAY)

    async def count_reads(peers: PeerSales) -> int:
        reads.clear()
        for group in (GROUP, GROUP, other, GROUP):
            groups = await peers.groups(tenant_id, [group])
            assert list(groups[group].sales) == [0]
        assert reads.count("newest_snapshots") == 4
        return reads.count("sales_groups")

    assert await count_reads(PeerSales(database)) == 2
    monkeypatch.setattr(peer_sales, "REMEMBERED_MAX", 100)
    assert await count_reads(PeerSales(database)) == 3
    monkeypatch.setattr(peer_sales, "REMEMBERED_MAX", 0)
    assert await count_reads(PeerSales(database)) == 4
