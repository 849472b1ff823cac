"""SQL of facts: statements and lists of columns, rendered from the registry of their kinds."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import cache
from importlib import resources
from string import Template
from types import NoneType
from typing import Any, Final, get_args, get_origin

import msgspec

from domain.facts import AGGREGATES, KINDS
from domain.facts.aggregate import ProjectedAggregate
from domain.facts.fact import FactKind
from domain.facts.listings import ListingEvent
from domain.facts.ratings import Moderation, Rating

_TYPES: Final[dict[Any, str]] = {
    bool: "boolean",
    int: "bigint",
    str: "text",
    date: "date",
    datetime: "timestamptz",
}

TABLES_OF_SHOP: Final = (
    *(kind.table for kind in KINDS.values()),
    *("daily_totals", "counter_days", "listing_days"),
)
"""Tables with many rows of a shop."""


def known_facts(kind: FactKind) -> str:
    """Name the statement that finds facts by their identities."""
    _, *ids = kind.identity
    return f"known_{kind.table}_by_{'_'.join(ids)}"


def delete_facts(kind: FactKind) -> str:
    """Name the statement that deletes facts by their identities."""
    return f"delete_{kind.table}"


def remove_of_shop(table: str) -> str:
    """Name the statement that deletes some rows of a deleted shop."""
    return f"remove_{table}"


def erase_facts() -> list[str]:
    """Name the statements that replace a buyer in facts that name buyers."""
    return [f"erase_{kind.table}" for kind in KINDS.values() if _names_buyers(kind)]


def erase_dependent_texts() -> list[str]:
    """Name the statements that empty texts of facts that name no buyers."""
    return [
        f"erase_{kind.table}_with_{KINDS[owner].table}"
        for kind in KINDS.values()
        for owner in kind.erased_with
    ]


def facts_of_shop(kind: FactKind) -> str:
    """Name the statement that reads all facts of a shop by aggregate."""
    return f"{kind.table}_of_shop"


@cache
def fact_statements() -> dict[str, str]:
    """Return the statements of every kind of fact, by name."""
    known, of_shop, delete, remove = map(_template, ("known", "of_shop", "delete", "remove"))
    erase, erase_with = map(_template, ("erase", "erase_with"))
    statements = {
        remove_of_shop(table): remove.safe_substitute(table=table) for table in TABLES_OF_SHOP
    }
    for kind in KINDS.values():
        statements[delete_facts(kind)] = delete.safe_substitute(
            table=kind.table,
            keys=", ".join(kind.identity),
            arrays=_arrays(kind, kind.identity),
            matching=" and ".join(f"f.{column} = given.{column}" for column in kind.identity),
        )
        texts = [column for column in kind.erased if column != "buyer_id"]
        emptied = [f"{column} = null" for column in texts] + ["erased = true"]
        if _names_buyers(kind):
            statements[f"erase_{kind.table}"] = erase.safe_substitute(
                table=kind.table, emptied=", ".join(emptied)
            )
        for owner, key in kind.erased_with.items():
            statements[f"erase_{kind.table}_with_{KINDS[owner].table}"] = (
                erase_with.safe_substitute(
                    table=kind.table,
                    owner=KINDS[owner].table,
                    key=key,
                    emptied=", ".join(emptied),
                    texts=", ".join(f"before.{column}" for column in texts),
                    matching=" and ".join(
                        f"f.{column} = before.{column}" for column in kind.identity
                    ),
                )
            )
    for aggregate in AGGREGATES:
        if not isinstance(aggregate, ProjectedAggregate):
            continue
        for kind in aggregate.kinds:
            columns = ", ".join(kind.columns)
            statements[known_facts(kind)] = known.safe_substitute(
                table=kind.table,
                columns=columns,
                keys=", ".join(kind.identity),
                arrays=_arrays(kind, kind.identity),
            )
            if kind in aggregate.projected:
                statements[facts_of_shop(kind)] = of_shop.safe_substitute(
                    table=kind.table, columns=columns, key=aggregate.key
                )
    return statements


@cache
def fact_lists() -> dict[str, str]:
    """Return what stands for facts in the statements of the folder `sql`, by name."""
    ratings, moderations = KINDS[Rating], KINDS[Moderation]
    lists = {kind.table: ", ".join(kind.columns) for kind in KINDS.values()}
    types = _column_types(ratings) | _column_types(moderations)
    return lists | {
        "any_fact_exists": " or ".join(
            f"exists (select from {kind.table} where shop_key = $1)" for kind in KINDS.values()
        ),
        "buyer_has_facts": " or ".join(
            f"exists (select from {kind.table} where shop_key = s.shop_key and buyer_id = $2)"
            for kind in KINDS.values()
            if _names_buyers(kind)
        ),
        "events_of_listings": ", ".join(f"e.{column}" for column in KINDS[ListingEvent].columns),
        "ratings_without_comment": lists["ratings"].replace("comment", "null as comment"),
        "reviews_of_ratings": ", ".join(
            f"r.{column}" if column in ratings.columns else f"null::{types[column]} as {column}"
            for column in types
        ),
        "reviews_of_moderations": ", ".join(
            f"m.{column}" if column in moderations.columns else "null" for column in types
        ),
    }


def _names_buyers(kind: FactKind) -> bool:
    return "buyer_id" in kind.erased


def _template(name: str) -> Template:
    return Template((resources.files(__package__) / "sql/facts" / f"{name}.sql").read_text("utf-8"))


def _arrays(kind: FactKind, columns: Sequence[str]) -> str:
    types = _column_types(kind)
    return ", ".join(
        f"${place}::{types[column]}[]" for place, column in enumerate(columns, start=1)
    )


def _column_types(kind: FactKind) -> dict[str, str]:
    return {field.name: _column_type(field.type) for field in msgspec.structs.fields(kind.fact)}


def _column_type(shape: Any) -> str:
    """Return the SQL type of a field."""
    if shape in _TYPES:
        return _TYPES[shape]
    [member] = (member for member in get_args(shape) if member is not NoneType)
    return _column_type(member) + ("[]" if get_origin(shape) is list else "")
