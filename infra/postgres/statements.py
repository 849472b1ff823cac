"""SQL statements by name: the files under `sql/`, read once."""

from functools import cache
from importlib import resources


@cache
def sql(name: str) -> str:
    """The text of `sql/{name}.sql`."""
    return (resources.files(__package__) / "sql" / f"{name}.sql").read_text("utf-8")


def statement_names() -> list[str]:
    """Every statement there is."""
    files = (resources.files(__package__) / "sql").iterdir()
    return sorted(file.name.removesuffix(".sql") for file in files if file.name.endswith(".sql"))
