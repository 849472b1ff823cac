"""What was done to a tenant, as the operator reads it."""

import re

from tests.harness.server import Shell


def test_the_trail_is_plain_lines_newest_first(shell: Shell) -> None:
    made = [
        shell.run("keys", "create", "--tenant", "trail", "--scopes", scope).stdout.split("_")[1]
        for scope in ("admin", "scores:read")
    ]
    shell.run("keys", "revoke", "--tenant", "trail", made[0])
    shell.run("keys", "revoke", "--tenant", "trail", made[0])
    lines = shell.run("audit", "--tenant", "trail").stdout.splitlines()
    assert [line.split("\t")[1:] for line in lines] == [
        ["command line", "keys revoke", made[0]],
        ["command line", "keys create", made[1]],
        ["command line", "keys create", made[0]],
    ]
    instants = [line.split("\t")[0] for line in lines]
    assert instants == sorted(instants, reverse=True)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", instant) for instant in instants)
    limited = shell.run("audit", "--tenant", "trail", "--limit", "1")
    assert limited.stdout.splitlines() == lines[:1]


def test_a_tenant_that_is_not_there_has_no_trail(shell: Shell) -> None:
    ended = shell.run("audit", "--tenant", "nobody")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "There is no tenant nobody" in ended.stderr
