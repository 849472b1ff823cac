"""Values as the server reads them are what they were, whatever is in them."""

from datetime import UTC, date, datetime
from itertools import product

from infra.postgres.database import Database
from infra.postgres.pool import Connection
from infra.postgres.statements import array, arrays, composites, copy

PIECES = (
    '"',
    "\\",
    "\n",
    "\r",
    "\t",
    ",",
    "null",
    "\\.",
    "n",
    "]\n[",
    "],[",
    "{}",
    " ",
    "é",
    "😀",
    "",
)
TEXTS = ["".join(pieces) for pieces in product(PIECES, repeat=3)]
"""Those of callers have no control characters but tab and line breaks."""
IDS = [text for text in TEXTS if text.isascii() and text.isprintable()]
"""Those of callers are printable ASCII."""


async def test_texts_are_copied_as_they_are(database: Database) -> None:
    rows = [(number, text, None, True) for number, text in enumerate(TEXTS)]

    async def work(connection: Connection) -> list[tuple[object, ...]]:
        await connection.execute(
            "create temp table copied (n bigint, text text, nothing text, truth boolean)"
            " on commit drop"
        )
        await copy(connection, "copied", ["n", "text", "nothing", "truth"], rows)
        found = await connection.fetch("select n, text, nothing, truth from copied order by n")
        return [tuple(row) for row in found]

    assert await database.run(work) == rows


async def test_lists_of_ids_are_copied_as_they_are(database: Database) -> None:
    async def work(connection: Connection) -> list[object]:
        await connection.execute("create temp table copied (ids text[]) on commit drop")
        await copy(connection, "copied", ["ids"], [(array(IDS),)])
        return list(await connection.fetchval("select ids from copied"))

    assert await database.run(work) == IDS


async def test_columns_of_ids_days_and_instants_are_read_as_they_are(database: Database) -> None:
    instant = datetime(2026, 11, 20, 12, 0, 0, 123456, UTC)
    rows = [(number, text, date(2026, 2, 28), instant) for number, text in enumerate(IDS)]
    async with database.connection() as connection:
        found = await connection.fetch(
            "select * from unnest($1::text::bigint[], $2::text::text[], $3::text::date[],"
            " $4::text::timestamptz[])",
            *arrays(rows, 4),
        )
    assert [tuple(row) for row in found] == rows
    assert arrays([], 2) == ["{}", "{}"]


async def test_totals_are_read_as_they_are(database: Database) -> None:
    rows = [(key, date(2026, 11, key), *range(-key, 22 - key)) for key in (1, 2, 3)]
    async with database.connection() as connection:
        for some in (rows, rows[:1], []):
            found = await connection.fetch(
                "select * from unnest($1::text::moved_totals[])", composites(some)
            )
            assert [tuple(row) for row in found] == some
