"""The least that a user of the database needs, and what is said to one that has less."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.api.samples import SHOP
from tests.cli.test_database_choice import as_user, refusal
from tests.harness.postgres import Cluster, database_name, start_cluster
from tests.harness.server import Shell

OWNER = "shop_owner"
READER = "shop_reader"
ROLE_MISSING = (
    "the user of the database may not act as the role shopdsr_service: grant the role to the "
    "user, and create it before if there is none"
)
NO_TABLES = (
    "the user of the database may not create tables in the schema public: make the schema if "
    "there is none, and grant create on it to the user"
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Run a server with the users, who may create no roles, and the role."""
    with start_cluster() as cluster:
        cluster.sql("create role shopdsr_service")
        for user in (OWNER, READER):
            cluster.sql(f"create role {user} login nosuperuser nocreatedb nocreaterole")
        yield cluster


@dataclass
class Place:
    """A database and what a superuser does in it."""

    cluster: Cluster
    url: str

    def sql(self, *statements: str) -> None:
        """Run statements as a superuser."""
        for statement in statements:
            self.cluster.sql(statement, url=self.url)

    def shell(self, user: str = OWNER) -> Shell:
        """Return a shell whose commands connect as a user."""
        return Shell(database_url=as_user(self.url, user))


@pytest.fixture
def place(cluster: Cluster) -> Iterator[Place]:
    """Make a database in which the owner has the least that the operator's guide names."""
    with cluster.database() as url:
        place = Place(cluster, url)
        place.sql(
            f"grant shopdsr_service to {OWNER}",
            f"grant create on schema public to {OWNER}",
        )
        yield place


def test_the_least_privileges_are_enough(place: Place) -> None:
    with place.shell().serve() as server, server.tenant_client("acme") as client:
        assert client.put("/v1/shops/s", json=SHOP).status_code == 201
        assert client.get("/v1/shops/s/scorecard").status_code == 200
        assert server.shell.run("verify").returncode == 0
        assert server.stop() == 0


def test_a_search_path_of_the_user_changes_nothing(place: Place) -> None:
    place.sql(
        f"create schema {OWNER} authorization {OWNER}",
        f"alter role {OWNER} set search_path = {OWNER}, pg_catalog",
    )
    try:
        test_the_least_privileges_are_enough(place)
    finally:
        place.sql(f"alter role {OWNER} reset search_path")


def test_another_user_may_serve_what_the_owner_has_made(place: Place) -> None:
    assert place.shell().run("migrate").returncode == 0
    place.sql(f"grant shopdsr_service to {READER}")
    with place.shell(READER).serve() as server:
        assert server.stop() == 0


@pytest.mark.parametrize("command", ["migrate", "serve"])
@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        (f"revoke create on schema public from {OWNER}", NO_TABLES),
        ("drop schema public cascade", NO_TABLES),
        (f"revoke shopdsr_service from {OWNER}", ROLE_MISSING),
        ("alter role shopdsr_service rename to another", ROLE_MISSING),
    ],
    ids=["no tables", "no schema", "no membership", "no role"],
)
def test_a_user_with_less_is_refused(
    place: Place, command: str, statement: str, sentence: str
) -> None:
    place.sql(statement)
    try:
        assert refusal(place.shell(), [command]) == sentence
    finally:
        if "rename" in statement:
            place.sql("alter role another rename to shopdsr_service")


@pytest.mark.parametrize(
    ("statement", "names"),
    [
        ("revoke usage on schema public from public", "the schema public"),
        ("revoke select on shops from shopdsr_service", "shops"),
        ("revoke insert on shops, api_keys from shopdsr_service", "api_keys, shops"),
    ],
)
def test_a_role_that_may_not_use_the_tables_is_refused(
    place: Place, statement: str, names: str
) -> None:
    assert place.shell().run("migrate").returncode == 0
    place.sql(f"grant usage on schema public to {OWNER}", statement)
    assert refusal(place.shell(), ["verify"]) == (
        f"the role shopdsr_service may not use {names}: grant it usage of the schema, and the "
        "rights on tables that the migrations grant"
    )


def test_tables_of_others_in_the_schema_are_left_alone(place: Place) -> None:
    place.sql("create table ledger_of_another (n int)")
    assert place.shell().run("migrate").returncode == 0
    granted = "select has_table_privilege('shopdsr_service', 'ledger_of_another', 'select')"
    [row] = place.cluster.sql(granted, url=place.url)
    assert not row[0], database_name(place.url)
