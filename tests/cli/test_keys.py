"""Keys are made, listed and ended beside a running server."""

import pytest
from click.testing import CliRunner

from domain.keys import SCOPES
from shopdsr import cli
from shopdsr.settings import Settings
from tests.harness.processes import wait_until
from tests.harness.server import Server, Shell


def test_a_new_key_stands_alone_on_stdout_and_works_at_once(shell: Shell, server: Server) -> None:
    made = shell.run("keys", "create", "--tenant", "new", "--scopes", ",".join(SCOPES))
    assert made.returncode == 0
    assert made.stdout.count("\n") == 1
    key = made.stdout.removesuffix("\n")
    assert key.startswith("sdk_")
    assert key == key.strip()
    assert server.get_status("/v1/shops", key) == 200
    assert server.get_status("/v1/shops", key[:-1]) == 401


def test_a_key_has_the_scopes_and_shops_and_end_it_was_given(shell: Shell, server: Server) -> None:
    options = (
        "--scopes",
        "scores:read",
        "--shops",
        "a,b,a",
        "--expires",
        "2100-01-31T08:00:00+08:00",
    )
    made = shell.run("keys", "create", "--tenant", "narrow", *options)
    assert made.returncode == 0, made.stderr
    assert server.get_status("/v1/shops", made.stdout.strip()) == 200
    assert server.get_status("/v1/keys", made.stdout.strip()) == 403
    listed = shell.run("keys", "list", "--tenant", "narrow")
    key_id = made.stdout.split("_")[1]
    assert listed.stdout == f"{key_id}\tscores:read\ta,b\texpires 2100-01-31T00:00:00Z\n"


def test_a_revoked_key_ends_and_stays_on_the_list(shell: Shell, server: Server) -> None:
    first, second = shell.create_key("ending"), shell.create_key("ending")
    assert server.get_status("/v1/shops", first) == 200
    revoked = shell.run("keys", "revoke", "--tenant", "ending", first.split("_")[1])
    assert (revoked.returncode, revoked.stdout) == (0, "")
    wait_until(lambda: server.get_status("/v1/shops", first) == 401, 60, "the key has ended")
    assert server.get_status("/v1/shops", second) == 200
    newest, oldest = shell.run("keys", "list", "--tenant", "ending").stdout.splitlines()
    assert newest.startswith(second.split("_")[1])
    assert newest.endswith("\tall shops\tnever expires")
    assert oldest.startswith(first.split("_")[1])
    assert "\trevoked 20" in oldest


def test_what_is_not_there_is_named(shell: Shell) -> None:
    listed = shell.run("keys", "list", "--tenant", "nobody")
    assert listed.returncode == 2
    assert listed.stderr.endswith("\nError: There is no tenant nobody\n")
    shell.create_key("somebody")
    revoked = shell.run("keys", "revoke", "--tenant", "somebody", "0000")
    assert revoked.returncode == 2
    assert revoked.stderr.endswith("\nError: There is no key 0000\n")


NAME = "1 to 64 letters, digits, or any of . _ ~ -"
INSTANT = "a future instant with its UTC offset, as in 2027-01-31T00:00:00Z"


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--tenant", "a b", NAME),
        ("--tenant", "..", NAME),
        ("--tenant", "", NAME),
        ("--tenant", "x" * 65, NAME),
        (
            "--scopes",
            "admin,write",
            "one or more of events:write,scores:read,buyers:read,shops:write,admin",
        ),
        ("--scopes", "", "one or more of events:write,scores:read,buyers:read,shops:write,admin"),
        ("--shops", "a,,b", f"ids of shops, each {NAME}"),
        ("--expires", "tomorrow", INSTANT),
        ("--expires", "2100-01-31", INSTANT),
        ("--expires", "2100-01-31T00:00:00", INSTANT),
        ("--expires", "2020-01-31T00:00:00Z", INSTANT),
    ],
)
def test_a_bad_option_is_told_what_is_right(option: str, value: str, expected: str) -> None:
    options = {"--tenant": "acme", "--scopes": "admin", option: value}
    args = [part for pair in options.items() for part in pair]
    ended = CliRunner().invoke(cli.create_key, args, obj=Settings())
    assert ended.exit_code == 2
    assert f"Error: Invalid value for '{option}': expected {expected}\n" in ended.output
