"""SQL statements by name, the files under `sql/`, read once; and arguments as they take them."""

from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources
from typing import Any

import msgspec

_encode = msgspec.json.Encoder().encode


@cache
def sql(name: str) -> str:
    """The text of `sql/{name}.sql`."""
    return (resources.files(__package__) / "sql" / f"{name}.sql").read_text("utf-8")


def statement_names() -> list[str]:
    """Every statement there is."""
    files = (resources.files(__package__) / "sql").iterdir()
    return sorted(file.name.removesuffix(".sql") for file in files if file.name.endswith(".sql"))


def array(values: Sequence[Any]) -> str:
    """An array as the server reads it; texts in it have no control characters.

    The driver takes up to ten times as long, for it looks at the members one by one.
    """
    return "{" + _encode(values)[1:-1].decode() + "}"


def arrays(rows: Iterable[tuple[Any, ...]], width: int) -> list[str]:
    """Rows as so many columns, each an array as the server reads it."""
    return [array(column) for column in zip(*rows, strict=True)] or ["{}"] * width


def composites(rows: Sequence[Sequence[Any]]) -> str:
    """An array of composite values as the server reads it, made of numbers and days alone."""
    if not rows:
        return "{}"
    text = _encode(rows)[2:-2].decode().replace('"', "").replace("],[", ')","(')
    return '{"(' + text + ')"}'
