"""Negative controls: a service in which one promise is broken, so that the suite must turn red.

The product has no setting for any of this. The functions are replaced in its processes when these
start, by `controls/sitecustomize.py`; what the schema would still catch is taken out of it.
"""

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from domain.facts.aggregate import Stored
from domain.recording import Recording
from domain.rules import RuleSet
from infra.postgres import database, ledger, rule_sets, shop_cache, shops
from infra.postgres.database import Connection
from infra.postgres.ledger import Ledger
from infra.postgres.rules import RulesCache
from infra.postgres.sessions import Session
from infra.postgres.shop_cache import LockedShop
from infra.postgres.statements import sql
from tests.faults.stream import STORED
from tests.harness.server import REPOSITORY

BETWEEN_S = 0.05
"""Between reading and writing, so that a missing lock shows in few tries."""

_LOOK_FOR_TENANT = "select from tenants where tenant_id = $1"


@dataclass(frozen=True)
class Control:
    """How a promise is broken: in the service's process, in its database, in the whole server."""

    patch: Callable[[], None]
    database: tuple[str, ...] = ()
    server: Mapping[str, str] | None = None


def _commit_later() -> None:
    begin_session = database._begin_session

    async def begin_hastily(connection: Connection, session: Session) -> None:
        await begin_session(connection, session)
        if not session.role:
            return
        # To wait for this commit keeps the shops of the row, which were registered before.
        await connection.execute("create temp table begun ()")
        await connection.execute("set synchronous_commit = off")

    database._begin_session = begin_hastily


def _forget_facts() -> None:
    read = ledger._read

    async def read_nothing(*arguments: Any, **named: Any) -> Stored:
        stored = await read(*arguments, **named)
        stored.facts.clear()
        stored.states.clear()
        return stored

    ledger._read = read_nothing


def _total_later() -> None:
    write = ledger._write
    left: ContextVar[tuple[Recording, Mapping[int, LockedShop]]] = ContextVar("left")

    async def write_facts(
        connection: Connection,
        recording: Recording,
        stored: Stored,
        shops: Mapping[int, LockedShop],
    ) -> None:
        left.set((msgspec.structs.replace(recording, changes={}, states={}), shops))
        await write(connection, msgspec.structs.replace(recording, moved={}), stored, shops)

    def twice(record: Callable[..., Any]) -> Callable[..., Any]:
        async def record_twice(self: Ledger, *arguments: Any) -> Any:
            outcomes = await record(self, *arguments)
            totals, shops = left.get()
            await self._database.run(
                lambda connection: write(connection, totals, Stored({}, {}, {}), shops)
            )
            return outcomes

        return record_twice

    ledger._write = write_facts
    for name in ("record", "record_free"):
        setattr(Ledger, name, twice(getattr(Ledger, name)))


def _leave_shops_open() -> None:
    locks = {"lock_shops": "for update of t", "lock_free_shops": "for update of t skip locked"}
    assert all(lock in sql(name) for name, lock in locks.items())
    unlocked = {name: sql(name).replace(lock, "") for name, lock in locks.items()}
    _say_instead([shop_cache], unlocked)
    read = ledger._read

    async def read_slowly(*arguments: Any, **named: Any) -> Stored:
        stored = await read(*arguments, **named)
        await asyncio.sleep(BETWEEN_S)
        return stored

    ledger._read = read_slowly


def _leave_tenants_open(lock: str) -> Callable[[], None]:
    def leave_open() -> None:
        _say_instead([rule_sets, shops], {lock: _LOOK_FOR_TENANT})
        latest = RulesCache.latest

        async def latest_slowly(*arguments: Any) -> dict[str, RuleSet]:
            rules = await latest(*arguments)
            await asyncio.sleep(BETWEEN_S)
            return rules

        RulesCache.latest = latest_slowly  # type: ignore[assignment,method-assign]

    return leave_open


def _say_instead(modules: Sequence[ModuleType], statements: Mapping[str, str]) -> None:
    for module in modules:
        known: Callable[[str], str] = module.sql
        for name in statements:
            known(name)  # or it is not there any more, and this control controls nothing

        def sql(name: str, known: Callable[[str], str] = known) -> str:
            return statements.get(name) or known(name)

        module.sql = sql  # type: ignore[attr-defined]


def environment_of(control: str) -> dict[str, str]:
    """Return the variables under which a server breaks a promise; none without a control."""
    if not control:
        return {}
    path = os.pathsep.join([str(Path(__file__).parent / "controls"), str(REPOSITORY)])
    return {"PYTHONPATH": path, "SHOPDSR_TEST_CONTROL": control}


CONTROLS: dict[str, Control] = {
    # The writer of the log sleeps longer than usual, so that a crash finds something unwritten.
    "commits not synchronous": Control(_commit_later, server={"wal_writer_delay": "10s"}),
    "deduplication removed": Control(
        _forget_facts,
        database=tuple(f"alter table {table} drop constraint {table}_pkey" for table in STORED),
    ),
    "totals in a second transaction": Control(_total_later),
    "lock of shops removed": Control(_leave_shops_open),
    "lock between changes of rules removed": Control(_leave_tenants_open("lock_tenant")),
    "lock of shops on their rules removed": Control(_leave_tenants_open("lock_tenant_for_share")),
}
