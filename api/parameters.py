"""Parameters of path and query: their types, and what Litestar does not check of a query string."""

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from inspect import Parameter, signature
from types import NoneType
from typing import Annotated, Any, TypeAlias, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl

import msgspec
from litestar.params import ParameterKwarg, PathParameter, QueryParameter
from litestar.types import AnyCallable

from api import faults
from api.problems import Problem, bad_parameter
from domain.names import Name

_NAME = get_args(Name)[1]
_NAME_BOUNDS: Mapping[str, Any] = {
    "min_length": _NAME.min_length,
    "max_length": _NAME.max_length,
    "pattern": _NAME.pattern,
    "title": _NAME.title,
}

ShopId: TypeAlias = Annotated[str, PathParameter(description="The shop.", **_NAME_BOUNDS)]
Marketplace: TypeAlias = Annotated[str, PathParameter(description="A marketplace.", **_NAME_BOUNDS)]
Category: TypeAlias = Annotated[
    str, PathParameter(description="A category of a marketplace.", **_NAME_BOUNDS)
]
RulesName: TypeAlias = Annotated[
    str, PathParameter(description="The name of a set of rules.", **_NAME_BOUNDS)
]

InMarketplace: TypeAlias = Annotated[
    str | None, QueryParameter(description="A marketplace.", **_NAME_BOUNDS)
]
InCategory: TypeAlias = Annotated[
    str | None, QueryParameter(description="A category of a marketplace.", **_NAME_BOUNDS)
]
UnderRules: TypeAlias = Annotated[
    str | None,
    QueryParameter(description="Replay the ratings under this set of rules.", **_NAME_BOUNDS),
]

AsOf: TypeAlias = Annotated[
    date | None,
    QueryParameter(
        description="The day asked about, from 2000-01-01 to the shop's today, which is the "
        "default."
    ),
]
Start: TypeAlias = Annotated[date, QueryParameter(description="The first day.")]
End: TypeAlias = Annotated[date, QueryParameter(description="The last day.")]
OptionalStart: TypeAlias = Annotated[date | None, QueryParameter(description="The first day.")]
OptionalEnd: TypeAlias = Annotated[date | None, QueryParameter(description="The last day.")]

LIMIT_DEFAULT = 50
Limit: TypeAlias = Annotated[
    int, QueryParameter(ge=1, le=500, description="The most items on a page.")
]
Cursor: TypeAlias = Annotated[
    str | None,
    QueryParameter(
        pattern=r"^[A-Za-z0-9_-]*$(?!\n)",
        max_length=2048,
        title="a cursor that this list gave",
        description="`next_cursor` of the page before; it holds the filters and the day of the "
        "first.",
    ),
]

_NAME_PATTERN = re.compile(_NAME.pattern)
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")


class Declared(msgspec.Struct, frozen=True):
    """A parameter as the signature of its handler declares it, None left out of its type."""

    name: str
    type: Any
    bounds: ParameterKwarg
    is_required: bool

    @property
    def is_list(self) -> bool:
        """Tell whether the parameter may be repeated."""
        return get_origin(self.type) is list

    def is_lax(self, value: str) -> bool:
        """Tell whether Litestar would take a value that is none in plain digits or letters."""
        if self.type is str or self.is_list:
            return False
        return value.lower() == "null" or (self.type is int and not _INTEGER.fullmatch(value))


def fit_name(value: str) -> bool:
    """Tell whether a text can be the name of anything."""
    return len(value) <= _NAME.max_length and _NAME_PATTERN.search(value) is not None


@cache
def declared(fn: AnyCallable) -> Mapping[str, Declared]:
    """Return the parameters of path and query that a handler declares, by argument."""
    defaults = {name: of.default for name, of in signature(fn).parameters.items()}
    parameters = {}
    for name, hint in get_type_hints(fn, include_extras=True).items():
        for bounds in getattr(hint, "__metadata__", ()):
            if isinstance(bounds, PathParameter | QueryParameter):
                union = [kind for kind in get_args(hint.__origin__) if kind is not NoneType]
                is_union = NoneType in get_args(hint.__origin__)
                parameters[name] = Declared(
                    bounds.name or name,
                    union[0] if is_union else hint.__origin__,
                    bounds,
                    is_required=defaults[name] is Parameter.empty,
                )
    return parameters


@cache
def _in_query(fn: AnyCallable) -> tuple[Mapping[str, Declared], frozenset[str]]:
    """Return the declared parameters of the query string, and which of them are required."""
    parameters = {
        parameter.name: parameter
        for parameter in declared(fn).values()
        if isinstance(parameter.bounds, QueryParameter)
    }
    required = {name for name, parameter in parameters.items() if parameter.is_required}
    return parameters, frozenset(required)


def expected(parameter: Declared) -> str:
    """Return in words what a parameter may be."""
    return faults.expected(parameter.type, parameter.bounds)


@cache
def _listed(fn: AnyCallable) -> Mapping[str, frozenset[str]]:
    """Return the values of the path parameters that have a list of them, by argument."""
    return {
        name: frozenset(extra["enum"])
        for name, parameter in declared(fn).items()
        if (extra := parameter.bounds.schema_extra) and isinstance(parameter.bounds, PathParameter)
    }


def check_listed(path_params: Mapping[str, str], fn: AnyCallable) -> None:
    """Check path parameters that have a list of values, which Litestar leaves to the contract.

    Raises Problem `not_found`.
    """
    for name, values in _listed(fn).items():
        if path_params[name] not in values:
            raise Problem("not_found", "There is no such path")


def check_query(query_string: bytes, fn: AnyCallable) -> None:
    """Check what Litestar lets pass: names that are unknown, repeated or missing, and lax values.

    Raises Problem `bad_parameter`.
    """
    parameters, required = _in_query(fn)
    given: set[str] = set()
    for name, value in _pairs(query_string) if query_string else ():
        parameter = parameters.get(name)
        if parameter is None:
            raise bad_parameter(name, "Expected no parameter of this name")
        if name in given and not parameter.is_list:
            raise bad_parameter(name, "Expected it once")
        given.add(name)
        if parameter.is_lax(value):
            raise bad_parameter(name, expected(parameter))
    if missing := required - given:
        name = min(missing)
        raise bad_parameter(name, expected(parameters[name]))


def _pairs(query_string: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict")
    except (UnicodeDecodeError, ValueError):
        raise Problem("bad_parameter", "The query string is not valid UTF-8") from None
