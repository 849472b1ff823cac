"""Rules on Postgres: built-in sets from the code, a tenant's own from its versions."""

from collections.abc import Iterable
from typing import Final

import msgspec

from domain.rules import BUILT_IN, Rules, RuleSet
from infra.postgres.database import Connection
from infra.postgres.statements import sql

REMEMBERED_MAX: Final = 10_000


class RulesCache:
    """Reads rules, and remembers versions, which never change once stored."""

    def __init__(self) -> None:
        self._versions: dict[tuple[int, str, int], RuleSet] = {}

    def seen(self, tenant_id: int, name: str, version: int) -> RuleSet | None:
        """Return a version that is built in or was read before."""
        return BUILT_IN.get(name) or self._versions.get((tenant_id, name, version))

    async def version(
        self, connection: Connection, tenant_id: int, name: str, version: int
    ) -> RuleSet:
        """Return the version that a shop's stored states follow; it exists."""
        rules = self.seen(tenant_id, name, version)
        if rules is None:
            text = await connection.fetchval(sql("rules_version"), tenant_id, name, version)
            rules = self._versions[tenant_id, name, version] = rule_set(name, version, text)
            while len(self._versions) > REMEMBERED_MAX:
                del self._versions[next(iter(self._versions))]
        return rules

    async def latest(
        self, connection: Connection, tenant_id: int, names: Iterable[str]
    ) -> dict[str, RuleSet]:
        """Return the newest version of each of these names; unknown names are absent."""
        unique = set(names)
        rows = await connection.fetch(sql("latest_rules"), tenant_id, unique - BUILT_IN.keys())
        own = {row["name"]: rule_set(*row) for row in rows}
        return {name: BUILT_IN[name] for name in unique & BUILT_IN.keys()} | own


def rule_set(name: str, version: int, text: str) -> RuleSet:
    """Return a stored version of a tenant's own rules."""
    rules = msgspec.json.decode(text, type=Rules)
    return RuleSet(name, version, built_in=False, rules=rules)
