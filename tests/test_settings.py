"""What can be set, from the environment alone, and what is said when it does not fit."""

import msgspec
import pytest

from shopdsr.settings import BadSetting, Settings, read_settings
from tests.harness.server import Shell


def test_without_variables_everything_has_its_default() -> None:
    assert read_settings({"PATH": "/bin"}) == Settings()


def test_every_field_is_read_from_its_variable() -> None:
    changed = {
        "database_url": "postgresql://localhost/scores",
        "cors_origins": "https://a.example,http://b.example:8080",
        "data_dir": "/srv/scores",
        "host": "::1",
        "statement_cache": False,
        "data_may_be_lost": True,
    }
    numbers = {
        field.name: field.default + 1
        for field in msgspec.structs.fields(Settings)
        if isinstance(field.default, int) and field.name not in changed
    }
    expected = changed | numbers
    assert set(expected) == set(Settings.__struct_fields__)
    environ = {f"SHOPDSR_{name.upper()}": str(value).lower() for name, value in expected.items()}
    assert msgspec.structs.asdict(read_settings(environ)) == expected


def test_the_defaults_fit_their_own_bounds() -> None:
    assert msgspec.convert(msgspec.to_builtins(Settings()), Settings) == Settings()


@pytest.mark.parametrize("name", ["SHOPDSR_PROT", "SHOPDSR_port", "SHOPDSR_"])
def test_an_unknown_variable_is_named(name: str) -> None:
    with pytest.raises(BadSetting, match=f"^{name} is not a setting$"):
        read_settings({name: "1"})


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SHOPDSR_PORT", "0", "1 to 65535"),
        ("SHOPDSR_PORT", "65536", "1 to 65535"),
        ("SHOPDSR_PORT", "http", "1 to 65535"),
        ("SHOPDSR_PORT", "", "1 to 65535"),
        ("SHOPDSR_PORT", "8000.5", "1 to 65535"),
        ("SHOPDSR_WORKERS", "-1", "1 to 64"),
        ("SHOPDSR_BATCH_EVENTS", "100001", "1 to 100000"),
        ("SHOPDSR_STATEMENT_CACHE", "off", "`true` or `false`"),
        ("SHOPDSR_HOST", "", "an IP address or a name"),
        ("SHOPDSR_DATABASE_URL", "mysql://localhost", "`postgresql://…`"),
    ],
)
def test_a_bad_value_is_named_with_what_would_be_right(
    name: str, value: str, expected: str
) -> None:
    with pytest.raises(BadSetting) as caught:
        read_settings({name: value})
    assert str(caught.value) == f"{name}: expected {expected}"


def test_all_that_is_wrong_is_told_at_once_and_no_value_is_repeated() -> None:
    environ = {
        "SHOPDSR_PORT": "x",
        "SHOPDSR_PROT": "1",
        "SHOPDSR_DATABASE_URL": "ftp://me:secret@host",
    }
    with pytest.raises(BadSetting) as caught:
        read_settings(environ)
    assert all(name in str(caught.value) for name in environ)
    assert "secret" not in str(caught.value)


def test_variables_of_the_tests_are_not_settings() -> None:
    assert read_settings({"SHOPDSR_TEST_DATABASE_URL": "x", "SHOPDSR_TEST_": ""}) == Settings()


def test_a_bad_variable_ends_a_command_at_its_start() -> None:
    ended = Shell(port=99_999, potr=1).run("serve")
    assert ended.returncode == 2
    assert "SHOPDSR_PORT: expected 1 to 65535; SHOPDSR_POTR is not a setting" in ended.stderr
    assert ended.stdout == ""
