"""Pages for people: complete, and nothing in them that would be loaded from elsewhere."""

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

from litestar import Litestar
from litestar.testing import AsyncTestClient

from api.problems import KINDS
from tests.contract.validation import document

Client = AsyncTestClient[Litestar]
VOID = {"meta", "link"}


class Page(HTMLParser):
    """A page taken apart: its ids, its addresses, its text, and elements left open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.open: list[str] = []
        self.styles: list[str] = []
        self.tags: set[str] = set()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src", "action"):
                self.addresses.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["style"]:
            self.styles.append(data)
        self.text += data


async def read(client: Client, path: str) -> Page:
    """The page at a path, after a look at its headers."""
    answer = await client.get(path)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    page = Page(answer.text)
    assert page.open == []
    hashes = [b64encode(sha256(style.encode()).digest()).decode() for style in page.styles]
    policy = dict(
        part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["style-src"] == " ".join(f"'sha256-{digest}'" for digest in hashes)
    return page


async def test_the_contract_page_shows_every_operation_and_every_schema(
    anonymous: Client,
) -> None:
    page = await read(anonymous, "/docs")
    for path, item in document()["paths"].items():
        assert path in page.text
        for operation in item.values():
            assert operation["operationId"] in page.ids
            assert operation["summary"] in page.text
    for name in document()["components"]["schemas"]:
        assert f"schema-{name}" in page.ids


async def test_links_of_the_contract_page_lead_somewhere(anonymous: Client) -> None:
    page = await read(anonymous, "/docs")
    assert len(page.ids) == len(set(page.ids))
    for address in page.addresses:
        if address.startswith("#"):
            assert address.removeprefix("#") in page.ids
        elif address != "data:,":
            assert (await anonymous.get(address)).status_code == 200


async def test_a_page_loads_nothing_and_runs_nothing(anonymous: Client) -> None:
    for path in ("/docs", "/problems/invalid"):
        page = await read(anonymous, path)
        assert all(re.match(r"#|/[^/]|data:,$", address) for address in page.addresses)
        assert not page.tags & {"script", "img", "iframe", "form", "object", "embed"}
        assert not re.search(r"url\(|@import", "".join(page.styles))


async def test_every_problem_has_a_page(anonymous: Client) -> None:
    for code, kind in KINDS.items():
        page = await read(anonymous, f"/problems/{code}")
        assert kind.title in page.text
        assert f"Status {kind.status}, code {code}." in page.text


async def test_no_other_problem_has_a_page(anonymous: Client) -> None:
    answer = await anonymous.get("/problems/%3Cscript%3E")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
