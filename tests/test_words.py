"""The words of `docs/glossary.md` that are not used occur in no file."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
GLOSSARY = PurePosixPath("docs/glossary.md")

DOCSTRING_WORDS_MAX = 15
RIDDLE = re.compile(r"(Who|What|Those|That)\b")
WORD = re.compile(r"[A-Za-z]+")
NAME = re.compile(r"[A-Za-z_]\w*")
# The parts of `snake_case`, `CamelCase` and `HTTPServer`.
PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


class Banned(NamedTuple):
    """The lists of the glossary."""

    identifiers: frozenset[str]
    files_and_classes: frozenset[str]
    anywhere: frozenset[str]
    old_names: frozenset[str]


def read_banned(text: str) -> Banned:
    """Return the lists of the glossary's section on words that are not used."""
    section = text.split("## Words that are not used\n")[1]

    def words_after(beginning: str) -> frozenset[str]:
        paragraph = section.split(beginning)[1].partition("\n\n")[0]
        return frozenset(re.findall(r"`([^`]+)`", paragraph))

    old_names = frozenset(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))
    return Banned(
        words_after("Never an identifier"),
        words_after("Never the name of a file or class"),
        words_after("Never at all"),
        old_names,
    )


BANNED = read_banned((ROOT / GLOSSARY).read_text("utf-8"))


def documents_and_code() -> list[PurePosixPath]:
    """Return the Python, SQL and Markdown files of the repository."""
    tops = [top for top in sorted(ROOT.iterdir()) if not top.name.startswith(".")]
    files = [file for top in tops for file in ([top] if top.is_file() else sorted(top.rglob("*")))]
    return [
        PurePosixPath(file.relative_to(ROOT).as_posix())
        for file in files
        if file.suffix in {".py", ".sql", ".md"} and file.name != Path(__file__).name
    ]


def complaints(path: PurePosixPath, text: str) -> Iterator[str]:
    """Yield every use of a banned word in a file."""
    yield from _prose(path.stem.replace("_", " "), 0)
    if path.stem in BANNED.files_and_classes:
        yield "is a name for no file"
    match path.suffix:
        case ".py":
            yield from _python(text)
        case ".sql":
            for number, line in enumerate(text.splitlines(), start=1):
                code, _, comment = line.partition("--")
                yield from _prose(comment, number)
                for name in NAME.findall(re.sub(r"'[^']*'", "", code)):
                    yield from _identifier(name, number)
        case ".md" if path != GLOSSARY:
            for number, line in enumerate(text.splitlines(), start=1):
                yield from _prose(line, number)


def _python(text: str) -> Iterator[str]:
    tree = ast.parse(text)
    for node in ast.walk(tree):
        for name in _names(node):
            yield from _identifier(name, getattr(node, "lineno", 0))
        if isinstance(node, ast.ClassDef) and node.name.lower() in BANNED.files_and_classes:
            yield f"line {node.lineno}: {node.name} is a name for no class"
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _prose(node.value, node.lineno)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _docstring(node)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield from _prose(token.string, token.start[0])


def _names(node: ast.AST) -> Iterator[str]:
    """Yield the names that a node binds."""
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
            yield name
        case ast.Attribute(attr=name, ctx=ast.Store()):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.alias(asname=str(name)):
            yield name
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
            yield name
        case ast.MatchStar(name=str(name)):
            yield name


def _identifier(name: str, line: int) -> Iterator[str]:
    bare = name.strip("_")
    if bare.lower() in BANNED.identifiers or bare in BANNED.old_names:
        yield f"line {line}: the name {name}"
    for part in PART.findall(bare):
        if part.lower() in BANNED.anywhere:
            yield f"line {line}: {part} in the name {name}"


def _prose(text: str, line: int) -> Iterator[str]:
    words = " ".join(WORD.findall(text.replace("_", " "))).lower()
    for banned in BANNED.anywhere:
        if re.search(rf"\b{banned}\b", words):
            yield f"line {line}: the word {banned}"


def _docstring(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    first = (ast.get_docstring(node) or "").partition("\n")[0]
    if RIDDLE.match(first):
        yield f"line {node.lineno}: a docstring that opens with {first.split()[0]}"
    if len(first.split()) > DOCSTRING_WORDS_MAX:
        yield f"line {node.lineno}: a docstring's first line of {len(first.split())} words"


def test_no_banned_word_is_used() -> None:
    hits = [
        f"{path}: {complaint}"
        for path in documents_and_code()
        for complaint in complaints(path, (ROOT / path).read_text("utf-8"))
    ]
    assert hits == []


def test_every_list_of_the_glossary_is_read() -> None:
    assert {"found", "asked", "kept", "told", "one"} == BANNED.identifiers
    assert {"utils", "helpers", "misc"} < BANNED.files_and_classes
    assert {"patience", "steps aside"} < BANNED.anywhere
    assert {"Yardstick", "other_days"} < BANNED.old_names


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x/utils.py", ""),
        ("x/a.py", "found = 1"),
        ("x/a.py", "def f(told): ..."),
        ("x/a.py", "class Base: ..."),
        ("x/a.py", "class Room: ..."),
        ("x/a.py", "PATIENCE_S = 1"),
        ("x/a.py", "self.asked = 1"),
        ("x/a.py", "try:\n    f()\nexcept OSError as _told:\n    pass"),
        ("x/a.py", "# two lanes"),
        ("x/a.py", "x = 'a yardstick'"),
        ("x/a.py", "def f():\n    '''Who asks.'''"),
        ("x/a.py", f"def f():\n    '''Return {'a ' * 15}'''"),
        ("x/a.sql", "select units as found"),
        ("x/a.sql", "select day from other_days"),
        ("x/a.sql", "-- It steps aside.\nselect day"),
        ("x/a.md", "There is room."),
    ],
)
def test_every_check_finds_a_use(name: str, text: str) -> None:
    assert list(complaints(PurePosixPath(name), text))
