"""The honest alternative: ratings in, averages out, as a good team writes it in an afternoon.

FastAPI, SQLAlchemy 2 (async, asyncpg) and pydantic on uvicorn with uvloop and httptools. It checks
a key, validates, keeps each review once and tells duplicates, and averages the raw rows of a shop's
180 days. It has no cap per buyer, no deadlines, no totals, no tenants and no events but ratings.

What it does with a batch that holds a review it knows is `PLAIN_DUPLICATES`:

    one_by_one    insert all; where that fails, insert again row by row, each in a savepoint
    on_conflict   one `insert … on conflict do nothing returning` for all
"""
