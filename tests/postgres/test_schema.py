"""What keeps the same schema working on one Postgres and on many."""

from tests.postgres.conftest import fetch

# Tables that all shops share stay whole on every node; those of one shop's rows are spread.
_BIG = """
    select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and n.nspname = 'public' and c.relname <> 'shops'
        and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'shop_key')
"""


async def test_the_big_tables_are_those_of_facts_and_totals(database_url: str) -> None:
    big = {row[0] for row in await fetch(database_url, _BIG)}
    assert big >= {"ratings", "moderations", "orders", "refunds", "listing_events", "stock_counts"}
    assert big >= {"daily_totals", "shop_totals", "listing_days"}


async def test_every_key_of_a_big_table_begins_with_the_shop(database_url: str) -> None:
    keys = await fetch(
        database_url,
        f"""
        select i.indrelid::regclass::text, i.indexrelid::regclass::text, a.attname
        from pg_index i
        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
        where i.indisunique and i.indrelid::regclass::text in ({_BIG})
        """,
    )
    assert {key[0] for key in keys} == {row[0] for row in await fetch(database_url, _BIG)}
    assert [key for key in keys if key[2] != "shop_key"] == []


async def test_no_big_table_refers_to_another_or_is_referred_to(database_url: str) -> None:
    constraints = f"""
        select conname from pg_constraint
        where contype = 'f'
            and (conrelid::regclass::text in ({_BIG}) or confrelid::regclass::text in ({_BIG}))
    """
    assert await fetch(database_url, constraints) == []


async def test_nothing_acts_behind_the_back_of_a_statement(database_url: str) -> None:
    triggers = """
        select tgname from pg_trigger where not tgisinternal
        union all
        select rulename from pg_rules where schemaname = 'public'
        union all
        select proname from pg_proc where pronamespace = 'public'::regnamespace
            and not exists (select from pg_depend where objid = pg_proc.oid and deptype = 'e')
    """
    assert await fetch(database_url, triggers) == []


async def test_every_text_that_is_a_key_compares_by_bytes(database_url: str) -> None:
    others = """
        select i.indrelid::regclass::text, a.attname
        from pg_index i
        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey::int2[])
        join pg_collation c on c.oid = a.attcollation
        join pg_class t on t.oid = i.indrelid
        where t.relnamespace = 'public'::regnamespace and c.collname <> 'C'
    """
    assert await fetch(database_url, others) == []
