"""Stored data prove right: verified while events arrive, repaired, dumped and restored."""

import asyncio
import os
import subprocess
import tempfile
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from infra.embedded.places import PROGRAMS, wheel_dir
from infra.postgres.database import Connection
from infra.postgres.sessions import ROLE
from tests.faults.check import check, read
from tests.faults.figures import Figures, Form
from tests.faults.rows_network import status
from tests.faults.stage import Stage, serving, stage
from tests.faults.stream import SHOPS, batch, encoded
from tests.harness.postgres import Cluster, start_cluster
from tests.harness.server import Shell

FAULTS = {
    "daily_totals": "update daily_totals set service_5 = service_5 + 1, paid = paid - 1",
    "daily_totals, a row missing": "delete from daily_totals",
    "daily_totals, a row too many": (
        "insert into daily_totals (shop_key, day, capped)"
        " select shop_key, '2001-02-03', 7 from shops"
    ),
    "shop_totals": "update shop_totals set paid = paid + 100, description_1 = description_1 - 1",
    "listing_days": "update listing_days set units = units + 1",
    "listing_days, a row missing": "delete from listing_days",
    "ratings": "update ratings set state = (state + 1) % 4",
}
"""One shop's rows are spoilt in each of these ways; the first word is what must be named."""

HEALED = {"shop_totals, a row missing": "delete from shop_totals"}
"""The next events of the shop put this right, so it may be gone before it can be named."""

CONNECTIONS = 2
"""Few: what is verified is to grow, and not by more than can be counted meanwhile."""

_SHOP_IDS = [shop["shop_id"] for shop in SHOPS]


def verified(on_cluster: Cluster, form: Form, control: str = "") -> Figures:
    """Verify while events arrive; planted faults must be named and repaired."""
    with stage(on_cluster, form, "verified while live", control=control) as on:
        on.clients.go(CONNECTIONS)
        on.clients.until_more(300)
        runs = form.outages
        for _ in range(runs):
            alarms = Shell(database_url=on.url).run("verify")
            on.figures.claim(alarms.returncode == 0, f"a false alarm: {alarms.stdout[:300]}")
        planted = list((FAULTS | HEALED).items())
        while planted:
            _plant(on, dict(zip(_SHOP_IDS, planted[: len(SHOPS)], strict=False)))
            del planted[: len(SHOPS)]
        on.clients.until_more(100)
        on.check()
        on.figures.notes.append(f"{runs} runs without an alarm while events arrived")
        return on.figures


def _plant(on: Stage, faults: dict[str, tuple[str, str]]) -> None:
    """Spoil shops while events arrive; each must be named for its fault and no other."""
    for shop_id, (_, statement) in faults.items():
        find = "select shop_key from shops where shop_id = $1"
        [[key]] = on.cluster.sql(find, shop_id, url=on.url)
        on.cluster.work(partial(_spoil, key=key, statement=statement), on.url)
        on.figures.faults += 1
    report = Shell(database_url=on.url).run("verify")
    on.figures.claim(
        report.returncode == 1, f"verify ended with {report.returncode} {report.stderr}"
    )
    named = [line.split()[3:5] for line in report.stdout.splitlines()]
    for shop_id, (where, _) in faults.items():
        table = where.partition(",")[0]
        if where in FAULTS:
            is_named = [shop_id, table] in named
            on.figures.claim(is_named, f"{where}: not named in {report.stdout[:300]}")
    strangers = [shop_id for shop_id, _ in named if shop_id not in faults]
    on.figures.claim(not strangers, f"a false alarm for {strangers[:1]}")
    repaired = Shell(database_url=on.url).run("verify", "--repair")
    on.figures.claim(repaired.returncode == 0, f"repair: {repaired.stdout[:300]}")


async def _spoil(connection: Connection, *, key: int, statement: str) -> None:
    async with connection.transaction():
        # As every writer of a shop does, or the two of them could wait for one another.
        await connection.execute("select from shop_totals where shop_key = $1 for update", key)
        await connection.execute(f"{statement} where shop_key = {key}")


def restored(on_cluster: Cluster, form: Form, control: str = "") -> Figures:
    """Dump while events arrive and restore elsewhere: clean, and the same responses."""
    with stage(on_cluster, form, "dump and restore", control=control) as on:
        on.clients.go(CONNECTIONS)
        on.clients.until_more(300 * form.outages)
        with start_cluster() as elsewhere, tempfile.TemporaryDirectory() as folder:
            elsewhere.sql(f"create role {ROLE}")
            live = Path(folder, "live.dump")
            _run("pg_dump", on.url, "--format=custom", "--file", live)
            with elsewhere.database() as url:
                _restore(url, live)
                clean = Shell(database_url=url).run("verify")
                on.figures.claim(clean.returncode == 0, f"a dump taken live: {clean.stdout[:300]}")
            on.heal()
            model = on.clients.finish()
            rest = Path(folder, "rest.dump")
            _run("pg_dump", on.url, "--format=custom", "--file", rest)
            with elsewhere.database() as url:
                _restore(url, rest)
                on.figures.faults = 2
                with serving(url) as service:
                    there = on.replaced_by(service)
                    on.figures.claim(_answers(on) == _answers(there), "the restored answers differ")
                    check(on.figures, url, service, on.key, model)
                    # What is known there is known as a fact, and new ones are taken.
                    known = encoded(model.acknowledged[0])
                    fresh = encoded(batch(on.clients.start, form.seed, 77, 1))
                    for body in (known, fresh):
                        got = asyncio.run(status(there, "POST", "/v1/events", body))
                        on.figures.claim(got == 200, f"after the restore: {got}")
        return on.figures


def _answers(on: Stage) -> list[Any]:
    today = datetime.now(UTC).date()

    async def ask() -> list[Any]:
        return [
            await read(on.service, on.key, f"shops/{shop['shop_id']}/{what}", as_of=day)
            for shop in SHOPS
            for what in ("scorecard", "dsr", "tier", "listings")
            for day in (today - timedelta(days=1), today - timedelta(days=60))
        ]

    return asyncio.run(ask())


def _restore(url: str, file: Path) -> None:
    name = urlsplit(url).path[1:]
    _run("pg_restore", url, "--no-owner", "--exit-on-error", "--dbname", name, file)


def _run(program: str, url: str, *arguments: object) -> None:
    """Run a program of the wheel on a database."""
    parts = urlsplit(url)
    place = parse_qs(parts.query)
    where = {
        "PGHOST": place["host"][0],
        "PGPORT": place["port"][0],
        "PGUSER": parts.username or "",
        "PGDATABASE": parts.path[1:],
    }
    subprocess.run(
        [wheel_dir() / PROGRAMS / program, *map(str, arguments)],
        check=True,
        env={"PATH": os.defpath, **where},
    )
