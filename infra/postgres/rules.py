"""Rules on Postgres: built-in sets from the code, a tenant's own from its versions."""

from collections.abc import Iterable

import msgspec

from domain.rules import BUILT_IN, Rules, RuleSet
from infra.postgres.database import Connection
from infra.postgres.statements import sql


class RulesCache:
    """Finds rules. A version never changes once stored, so those seen are remembered."""

    def __init__(self) -> None:
        self._versions: dict[tuple[int, str, int], RuleSet] = {}

    def seen(self, tenant_id: int, name: str, version: int) -> RuleSet | None:
        """Return a version that is built in or was read before."""
        return BUILT_IN.get(name) or self._versions.get((tenant_id, name, version))

    async def version(
        self, connection: Connection, tenant_id: int, name: str, version: int
    ) -> RuleSet:
        """Return the version that a shop's stored states follow; it exists."""
        found = self.seen(tenant_id, name, version)
        if found is None:
            text = await connection.fetchval(sql("rules_version"), tenant_id, name, version)
            found = self._versions[tenant_id, name, version] = rule_set(name, version, text)
        return found

    async def latest(
        self, connection: Connection, tenant_id: int, names: Iterable[str]
    ) -> dict[str, RuleSet]:
        """Return the newest version of each of these names; unknown names are absent."""
        wanted = set(names)
        rows = await connection.fetch(sql("latest_rules"), tenant_id, wanted - BUILT_IN.keys())
        own = {row["name"]: rule_set(*row) for row in rows}
        return {name: BUILT_IN[name] for name in wanted & BUILT_IN.keys()} | own


def rule_set(name: str, version: int, text: str) -> RuleSet:
    """Return a stored version of a tenant's own rules."""
    rules = msgspec.json.decode(text, type=Rules)
    return RuleSet(name, version, built_in=False, rules=rules)
