"""`shopdsr demo`: a server in a temporary folder, a made-up world, and its scores in print.

Everything printed is a response of the server over HTTP, and each can be had again by one of the
printed lines.
"""

import contextlib
import gzip
import http.client
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import IO, TypeVar
from urllib.parse import urlencode

import click
import msgspec

from api.insights import DsrAnswer
from api.scorecards import Scorecard
from domain.change import Change
from domain.counters import Dimension
from domain.days import day_of
from domain.forecast import Forecast
from domain.keys import SCOPES
from domain.plan import Plan
from infra.embedded import EmbeddedPostgresError, throwaway_data_dir
from shopdsr.demo import text
from shopdsr.demo.world import CATEGORY, FALLING, MARKETPLACE, ZONE, World, world
from shopdsr.settings import PREFIX, Settings

TENANT = "demo"
DIMENSION: Dimension = "logistics"
TARGET = 4.8
STARS = 5
LOOK_BACK_DAYS = 45
PLAN_DAYS = 30
FORECAST_DAYS = 180

_COMMAND = (sys.executable, "-P", "-m", "shopdsr")
_JSON = "application/json"
_NDJSON = "application/x-ndjson"
_POLL_S = 0.05
_ANSWER_TIMEOUT_S = 60
_STOP_TIMEOUT_S = 60  # longer than the server takes to end by itself, or to give up

_Body = TypeVar("_Body")


class _Item(msgspec.Struct, frozen=True):
    scorecard: Scorecard


class _Cards(msgspec.Struct, frozen=True):
    """The body of `/v1/scorecards` where every shop is known."""

    items: list[_Item]


class _Caller:
    """An HTTP client of the server, with a key once there is a key."""

    def __init__(self, settings: Settings) -> None:
        # What listens everywhere is reached from here.
        self.host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
        self.port = settings.port
        self.url = f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"
        self.key = ""

    def get(self, path: str, kind: type[_Body]) -> _Body:
        """Return the decoded body of a GET; raises ClickException for an error."""
        return msgspec.json.decode(self.send("GET", path), type=kind)

    def send(self, method: str, path: str, body: bytes | None = None, media: str = _JSON) -> bytes:
        """Return the body of a response; raises ClickException unless all was accepted."""
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": media}
        if media == _NDJSON:
            headers["Content-Encoding"] = "gzip"
        status, answer = self._ask(method, path, body, headers)
        if status not in {200, 201}:
            raise click.ClickException(f"{method} {path}: {status} {answer.decode()}")
        return answer

    def is_ready(self) -> bool:
        """Return whether the server answers and can serve."""
        try:
            return self._ask("GET", "/readyz", None, {})[0] == 200
        except OSError:
            return False

    def curl(self, path: str) -> str:
        """Return a line for a shell that requests a path."""
        header = shlex.quote(f"Authorization: Bearer {self.key}")
        return f"curl -s -H {header} {shlex.quote(self.url + path)}"

    def _ask(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=_ANSWER_TIMEOUT_S)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()


def demonstrate(settings: Settings, now: datetime) -> None:
    """Start, load, print, and serve until Ctrl-C.

    Raises ClickException, or SystemExit on a signal.
    """
    # A terminal that closes is no reason to leave a server and a folder behind.
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(128 + signal.SIGHUP))
    caller = _Caller(settings)
    try:
        with _folder() as folder, _serving(folder) as server:
            caller.key = _make_key(folder)  # while the server starts
            _wait_until_ready(caller, server)
            _present(caller, now)
            with contextlib.suppress(KeyboardInterrupt):
                click.echo(f"\nServing on {caller.url}, Ctrl-C to stop")
                raise _ended(server)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


def _present(caller: _Caller, now: datetime) -> None:
    """Load the world, ask about it, and print the answers."""
    today = day_of(now, ZONE)
    made_up = world(today)
    took_s = _load(caller, made_up, today - timedelta(days=1))
    click.echo(
        f"A made-up world of {len(made_up.shops)} shops, {len(made_up.events)} events, "
        f"loaded in {took_s:.1f} s\n"
    )

    def of_shop(path: str, **query: object) -> str:
        return f"/v1/shops/{FALLING}/{path}?{urlencode(query)}"

    shop_ids = [shop.shop_id for shop in made_up.shops]
    start, by = today - timedelta(days=LOOK_BACK_DAYS), today + timedelta(days=PLAN_DAYS)
    goal = {"dimension": DIMENSION, "target": TARGET, "by": by, "stars": STARS}
    card = of_shop("scorecard", as_of=today)
    dsr = of_shop("dsr", as_of=today)
    change = of_shop("dsr/change", start=start, end=today)
    forecast = of_shop("dsr/forecast", as_of=today, days=FORECAST_DAYS)
    plan = of_shop("dsr/plan", as_of=today, **goal)
    cards = caller.get(_cards(shop_ids, today), _Cards).items
    answers = [
        text.overview([item.scorecard for item in cards], made_up.stories),
        text.scorecard(caller.get(card, Scorecard)),
        text.beside_peers(caller.get(dsr, DsrAnswer).dsr),
        text.fall(DIMENSION, getattr(caller.get(change, Change), DIMENSION), start, today),
        text.outlook(DIMENSION, caller.get(forecast, Forecast), TARGET),
        text.effort(DIMENSION, caller.get(plan, Plan), TARGET, STARS, by),
    ]
    click.echo("\n\n".join(answers))
    lines = [
        card,
        dsr,
        of_shop("tier", as_of=today),
        of_shop("sell-through", as_of=today),
        change,
        forecast,
        plan,
        _cards(shop_ids[:3], today),
    ]
    click.echo(f"\nThe key\n\n  {caller.key}\n")
    click.echo("Try it yourself (add | python3 -m json.tool to indent)\n")
    for path in lines:
        click.echo(caller.curl(path))
    click.echo(f"\nThe contract\n\n  {caller.url}/docs")


def _cards(shop_ids: list[str], today: date) -> str:
    query = [*(("shop_id", shop_id) for shop_id in shop_ids), ("as_of", str(today))]
    return f"/v1/scorecards?{urlencode(query)}"


def _load(caller: _Caller, made_up: World, snapshot_day: date) -> float:
    """Send everything; return the seconds that took."""
    started = time.monotonic()
    encode = msgspec.json.encode
    caller.send("POST", "/v1/shops", encode(made_up.shops))
    caller.send("PUT", f"/v1/ladders/{MARKETPLACE}/{CATEGORY}", encode(made_up.ladder))
    lines = b"\n".join(map(encode, made_up.events))
    caller.send("POST", "/v1/events", gzip.compress(lines), _NDJSON)
    caller.send("POST", "/v1/peer-snapshots", encode({"as_of": snapshot_day}))
    return time.monotonic() - started


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    try:
        with throwaway_data_dir() as folder:
            yield folder
    except EmbeddedPostgresError as error:
        raise click.ClickException(str(error)) from None


@contextlib.contextmanager
def _serving(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """`shopdsr serve` on a folder, out of reach of the terminal's signals."""
    server = subprocess.Popen(
        [*_COMMAND, "serve"],
        env=_environ(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        Thread(target=_pass_on, args=(server.stdout,), daemon=True).start()
        yield server
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # it is ending already
        server.terminate()
        try:
            server.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _pass_on(said: IO[str]) -> None:
    """Show what the server prints, but for its greeting and its requests."""
    for line in said:
        if not line.startswith("Serving on ") and '"event":"request"' not in line:
            click.echo(line, nl=False, err=True)


def _wait_until_ready(caller: _Caller, server: subprocess.Popen[str]) -> None:
    while not caller.is_ready():
        if server.poll() is not None:
            raise _ended(server)
        time.sleep(_POLL_S)


def _ended(server: subprocess.Popen[str]) -> click.ClickException:
    """Wait until the server has ended, and return its status as an error."""
    return click.ClickException(f"The server has ended, with status {server.wait()}")


def _make_key(folder: Path) -> str:
    """Return a key that may do everything, made as an operator makes the first key."""
    made = subprocess.run(
        [*_COMMAND, "keys", "create", "--tenant", TENANT, "--scopes", ",".join(SCOPES)],
        check=False,
        env=_environ(folder),
        capture_output=True,
        text=True,
    )
    if made.returncode != 0:
        raise click.ClickException(f"`keys create` does not make a key: {made.stderr.strip()}")
    return made.stdout.strip()


def _environ(folder: Path) -> dict[str, str]:
    """Return the environment for the folder, without a database that is set."""
    inherited = {
        name: value for name, value in os.environ.items() if name != f"{PREFIX}DATABASE_URL"
    }
    # No proxy has to notice that it ends.
    return inherited | {f"{PREFIX}DATA_DIR": str(folder), f"{PREFIX}DRAIN_NOTICE_MS": "0"}
