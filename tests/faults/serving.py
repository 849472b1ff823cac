"""The service as its users run it: a process of its own, told what to do by variables."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.faults.processes import children, command, gone, signal_all, wait_for

REPOSITORY = Path(__file__).parents[2]
CONTROLS = Path(__file__).parent / "controls"
PATIENCE_S = 60
_LISTENING = "0A"


class Service:
    """A running server; `control` names a promise that is broken in it on purpose."""

    def __init__(
        self,
        url: str,
        control: str = "",
        port: int | None = None,
        environ: Mapping[str, str] | None = None,
        settings: Mapping[str, object] | None = None,
    ) -> None:
        self.host, self.port = "127.0.0.1", port or free_port()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - as long as this lives
        given = {"workers": 2, **(settings or {}), "database_url": url, "port": self.port}
        self.count = given["workers"]
        variables = environment(**given) | dict(environ or {})
        if control:
            path = os.pathsep.join([str(CONTROLS), str(REPOSITORY)])
            variables |= {"PYTHONPATH": path, "SHOPDSR_TEST_CONTROL": control}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "shopdsr", "serve"],
            cwd=REPOSITORY,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def workers(self) -> list[int]:
        """The processes that serve."""
        forked = children(self.process.pid)
        return [pid for pid in forked if "resource_tracker" not in command(pid)]

    def listeners(self) -> int:
        """How many workers take connections: each has a listening socket of its own."""
        port = f":{self.port:04X}"
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
        return sum(row[1].endswith(port) and row[3] == _LISTENING for row in rows)

    def ask(self, path: str, timeout_s: float = 5.0, **headers: str) -> int:
        """The status of a GET on a new connection; 0 where there is no answer."""
        caller = http.client.HTTPConnection(self.host, self.port, timeout=timeout_s)
        try:
            caller.request("GET", path, headers=headers)
            return caller.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            caller.close()

    def until_ready(self, timeout_s: float = PATIENCE_S) -> float:
        """Seconds until /readyz says yes."""
        return wait_for(self._is_ready, timeout_s, "the service is ready")

    def _is_ready(self) -> bool:
        if self.process.poll() is not None:
            message = f"the service has ended:\n{self.log()}"
            raise RuntimeError(message)
        return self.ask("/readyz") == 200

    def terminate(self) -> float:
        """Send SIGTERM and return the seconds until the process is gone."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE_S)
        return time.monotonic() - started

    def log(self) -> str:
        """Everything it has said."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def end(self) -> None:
        """Leave nothing behind."""
        family = [self.process.pid, *children(self.process.pid)]
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(15)
        signal_all([pid for pid in family if not gone([pid])], signal.SIGKILL)
        self.process.wait(PATIENCE_S)
        self._log.close()


@contextmanager
def serving(
    url: str,
    control: str = "",
    port: int | None = None,
    environ: Mapping[str, str] | None = None,
    settings: Mapping[str, object] | None = None,
) -> Iterator[Service]:
    """A service that is ready, ended with the block."""
    service = Service(url, control, port, environ, settings)
    try:
        service.until_ready()
        wait_for(lambda: service.listeners() == service.count, PATIENCE_S, "every worker listens")
        yield service
    finally:
        service.end()


def shopdsr(url: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end, on this database."""
    return subprocess.run(
        [sys.executable, "-m", "shopdsr", *arguments],
        check=False,
        cwd=REPOSITORY,
        env=environment(database_url=url),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S * 5,
    )


def environment(**settings: object) -> dict[str, str]:
    """Variables of this process, with these settings and no others."""
    clean = {name: v for name, v in os.environ.items() if not name.startswith("SHOPDSR_")}
    return clean | {f"SHOPDSR_{name.upper()}": str(value) for name, value in settings.items()}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
