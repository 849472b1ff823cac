"""SQL statements by name, the files under `sql/`, read once; values as the server reads them."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from functools import cache
from importlib import resources
from typing import Any, Final

import msgspec

from infra.postgres.pool import Connection

_ROWS_A_TURN = 500

_encoder = msgspec.json.Encoder()
_encode = _encoder.encode

CSV: Final = {"format": "csv", "quote": '"', "escape": "\\", "null": "null"}
"""Options of COPY by which a row in JSON is a line, but for its brackets and control characters."""

_ESCAPED = re.compile(rb"\\(.)")
_CONTROLS = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}


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


async def copy(
    connection: Connection, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Write rows by COPY, some at a time, so that the server has some while others are made."""
    await connection.copy_to_table(table, source=_some_lines(rows), columns=columns, **CSV)


async def _some_lines(rows: Sequence[Sequence[Any]]) -> AsyncIterator[bytes]:
    for start in range(0, len(rows), _ROWS_A_TURN):
        if start:
            await asyncio.sleep(0)
        yield lines(rows[start : start + _ROWS_A_TURN])


def lines(rows: Sequence[Sequence[Any]]) -> bytes:
    """Rows as COPY takes them; texts in them have no control characters but tab and line breaks.

    The driver takes five times as long for its binary form, and the server waits meanwhile.
    """
    text = _encoder.encode_lines(rows)[1:-2].replace(b"]\n[", b"\n")
    if b"\\" in text:
        text = _ESCAPED.sub(lambda escaped: _CONTROLS.get(escaped[1], escaped[0]), text)
    return text + b"\n"
