"""What every row stands on: a database with a key and shops, and a service on it."""

import asyncio
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import httpx

from tests.faults.broken import CONTROLS, Control, environment_of
from tests.faults.check import check, put_shops
from tests.faults.crowd import Crowd, Model, crowd
from tests.faults.figures import Figures, Form
from tests.faults.proxy import Proxy, proxy
from tests.harness.client import TIMEOUT_S
from tests.harness.postgres import SOCKET, Cluster, database_of, through
from tests.harness.processes import free_port
from tests.harness.server import Server, Shell

WORKERS = 2


@dataclass(frozen=True)
class Stage:
    """One row under way; proxies stand idle until they are told to do harm."""

    cluster: Cluster
    form: Form
    figures: Figures
    url: str
    key: str
    service: Server
    clients: Crowd
    to_service: Proxy
    to_database: Proxy

    def client(self, timeout_s: float = TIMEOUT_S) -> httpx.AsyncClient:
        """Return a client of the service."""
        return self.service.async_client(self.key, timeout_s)

    def check(self) -> None:
        """End the clients, and note what has been lost, doubled or made up."""
        self.heal()
        self.check_against(self.clients.finish())

    def heal(self) -> None:
        """Let everything through, and wait until it is served."""
        self.to_service.cut_answers = self.to_service.cut_anywhere = 0.0
        self.to_database.cut_commits = self.to_database.cut_anywhere = 0.0
        for between in (self.to_service, self.to_database):
            between.delay_s, between.frozen = 0.0, False
        self.service.wait_until_ready()

    def replaced_by(self, service: Server) -> "Stage":
        """Return the same row with another service."""
        return replace(self, service=service)

    def check_against(self, model: Model) -> None:
        """Note what differs from what clients know, and answers that should never be."""
        for surprise in self.clients.surprises[:3]:
            self.figures.claim(False, f"answered otherwise than 200 or 503: {surprise}")
        check(self.figures, self.url, self.service, self.key, model)


@contextmanager
def stage(
    cluster: Cluster,
    form: Form,
    row: str,
    *,
    control: str = "",
    options: dict[str, str] | None = None,
    settings: Mapping[str, object] | None = None,
) -> Iterator[Stage]:
    """Set a row up; `options` are of the database, `settings` of the service.

    A service whose settings name a data folder works on the database of this one, with no proxy.
    """
    with ExitStack() as stack:
        embedded = "data_dir" in (settings or {})
        if embedded:
            url, key = cluster.url, prepare(cluster.url)
        else:
            name, key = template(cluster)
            url = stack.enter_context(cluster.database(template=name, **(options or {})))
        if control:
            stack.enter_context(weakened(cluster, url, CONTROLS[control]))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/tmp")))
        between = stack.enter_context(proxy(folder / SOCKET, cluster.folder / SOCKET, form.seed))
        address = "" if embedded else through(url, folder)
        service = stack.enter_context(serving(address, control, settings=settings))
        asyncio.run(put_shops(service, key))
        port = free_port()
        front = stack.enter_context(
            proxy(("127.0.0.1", port), ("127.0.0.1", service.port), form.seed + 1)
        )
        callers = stack.enter_context(crowd(f"http://127.0.0.1:{port}", key, form.seed))
        yield Stage(cluster, form, Figures(row), url, key, service, callers, front, between)


@contextmanager
def serving(
    url: str,
    control: str = "",
    port: int = 0,
    environ: Mapping[str, str] | None = None,
    settings: Mapping[str, object] | None = None,
) -> Iterator[Server]:
    """Run a server of two workers, which breaks a promise if a control is named."""
    variables = {**environment_of(control), **(environ or {})}
    shell = Shell(variables, **{"workers": WORKERS, **(settings or {}), "database_url": url})
    with shell.serve(port) as server:
        yield server


@contextmanager
def weakened(cluster: Cluster, url: str, control: Control) -> Iterator[None]:
    """Take from the database and from Postgres what a control breaks."""
    for statement in control.database:
        cluster.sql(statement, url=url)
    for name, value in (control.server or {}).items():
        cluster.sql(f"alter system set {name} = '{value}'")
    cluster.sql("select pg_reload_conf()")
    try:
        yield
    finally:
        for name in control.server or {}:
            cluster.sql(f"alter system reset {name}")
        cluster.sql("select pg_reload_conf()")


def template(cluster: Cluster) -> tuple[str, str]:
    """Return the name of a database to copy, and the key in it."""
    if not cluster.templates:
        name = f"template_{uuid4().hex[:12]}"
        cluster.sql(f"create database {name}")
        cluster.templates[name] = prepare(database_of(cluster.url, name))
    return next(iter(cluster.templates.items()))


def prepare(url: str) -> str:
    """Bring a new database up to date; return a key that may do everything."""
    return Shell(database_url=url).create_key()
