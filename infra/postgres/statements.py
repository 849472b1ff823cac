"""SQL statements by name, the files under `sql/`, read once."""

from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources
from typing import Any


@cache
def sql(name: str) -> str:
    """Return the text of `sql/{name}.sql`."""
    return (resources.files(__package__) / "sql" / f"{name}.sql").read_text("utf-8")


def statement_names() -> list[str]:
    """List the names of all statements."""
    files = (resources.files(__package__) / "sql").iterdir()
    return sorted(file.name.removesuffix(".sql") for file in files if file.name.endswith(".sql"))


def columns(rows: Iterable[tuple[Any, ...]], width: int) -> list[Sequence[Any]]:
    """Turn rows into columns, the arrays that `unnest` turns into rows again."""
    return list(zip(*rows, strict=True)) or [()] * width
