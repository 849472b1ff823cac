"""Pages for people: complete, and nothing in them that would be loaded from elsewhere."""

import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from urllib.parse import urljoin

import pytest
from litestar import Litestar
from litestar.testing import AsyncTestClient

from api.docs import ASSETS
from api.problems import KINDS

Client = AsyncTestClient[Litestar]
VOID = {"meta", "link"}
PAGES = ("/docs", "/problems/invalid")


class Page(HTMLParser):
    """A page taken apart: its addresses, its text, what it runs, and elements left open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.open: list[str] = []
        self.inline = ""
        self.text = ""
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name in ("href", "src", "action"):
                self.addresses.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] in (["script"], ["style"]):
            self.inline += data
        self.text += data


@pytest.fixture
async def browser(anonymous: Client) -> AsyncIterator[Client]:
    """Return a client that may also load what the contract does not have."""
    hooks, anonymous.event_hooks = anonymous.event_hooks, {}
    yield anonymous
    anonymous.event_hooks = hooks


async def read(client: Client, path: str) -> Page:
    """Return the page at a path, after a look at its headers."""
    answer = await client.get(path)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = dict(
        part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    sources = {source for of in policy.values() for source in of.split()}
    assert sources == {"'none'", "'self'", "data:"}
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    page = Page(answer.text)
    assert page.open == []
    return page


async def test_a_page_loads_only_what_the_service_serves(browser: Client) -> None:
    for path in PAGES:
        page = await read(browser, path)
        assert page.addresses
        for address in page.addresses:
            if address != "data:,":
                assert not re.match(r"[a-z]+:|//", address), address
                loaded = await browser.get(urljoin(path, address))
                assert loaded.status_code == 200, address
                assert loaded.headers["X-Request-Id"]


async def test_a_page_runs_and_styles_nothing_inline(browser: Client) -> None:
    for path in PAGES:
        page = await read(browser, path)
        assert page.inline == ""
        assert not {name for name in page.attributes if name == "style" or name.startswith("on")}


async def test_the_explorer_reads_the_contract_of_this_service(browser: Client) -> None:
    script = (await browser.get("/docs/assets/explorer.js")).text
    [address] = re.findall(r'url: "(.*)"', script)
    document = (await browser.get(urljoin("/docs", address))).json()
    assert document["openapi"] == "3.1.0"


async def test_an_asset_that_is_not_there_is_a_problem(browser: Client) -> None:
    for path in ("/docs/assets/nothing.js", "/docs/assets/../docs.py", "/docs/x"):
        answer = await browser.get(path)
        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == "application/problem+json"


async def test_every_problem_has_a_page(anonymous: Client) -> None:
    for code, kind in KINDS.items():
        page = await read(anonymous, f"/problems/{code}")
        assert page.text.count(kind.title) >= 2, "in the tab and as a heading"
        assert f"Status {kind.status}, code {code}." in page.text


async def test_no_other_problem_has_a_page(anonymous: Client) -> None:
    answer = await anonymous.get("/problems/%3Cscript%3E")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_a_page_and_an_asset_are_the_same_to_head_and_get(browser: Client) -> None:
    for name in (*PAGES, *(f"/docs/assets/{asset}" for asset in ASSETS)):
        whole, head = await browser.get(name), await browser.head(name)
        assert (head.status_code, head.content) == (200, b"")
        for header in ("Content-Type", "Content-Length", "X-Content-Type-Options"):
            assert head.headers[header] == whole.headers[header], (name, header)
