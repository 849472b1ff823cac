"""What a client process is told to do, and what it tells of it."""

from typing import Literal

import msgspec


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """One load of one client process; a unit is an event, a rating, a row or a request.

    It ends after `warm_s + run_s` seconds (later where not each connection has had an answer by
    then), after `requests_max` requests, or when what was prepared for `units_per_s_max` is used
    up, whichever comes first. Only what is answered after `warm_s` and before the end is measured.
    """

    name: str
    recipe: Literal["events", "ratings", "send", "copy", "insert"]
    """CloudEvents, the plain ratings, requests as they are, rows by COPY, or one row a commit."""
    prefix: str
    """Makes the ids of this load its own."""
    port: int = 0
    key: str = ""
    database_url: str = ""
    subjects: tuple[str, ...] = ()
    """Shops that are written to."""
    requests: tuple[tuple[str, str], ...] = ()
    """Method and path of each request of the recipe `send`, in turn; bodies are empty."""
    connections: int = 1
    batch: int = 1
    warm_s: float = 0.0
    run_s: float = 60.0
    requests_max: int = 1_000_000_000
    units_per_s_max: float = 100_000.0
    duplicates: float = 0.0
    """Share of events that were sent before, before the clock started."""
    arrivals_per_s: float | None = None
    """Requests start at this pace, whether or not earlier ones are answered; latency includes the
    wait for a connection. None: each connection sends when it is answered."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a load; latencies in milliseconds."""

    units: int
    seconds: float
    latency_p50: float
    latency_p90: float
    latency_p99: float
    latency_max: float
    requests_all: int
    units_all: int
    """Everything sent, before and after the measured time too."""
    stored: int
    """Rows that the answers say are new, over everything sent."""
    failed: int
    """Answers other than 2xx."""
    response_bytes: int
    client_cpu_s: float
    first_failure: str = ""

    @property
    def rate(self) -> float:
        """Units a second."""
        return self.units / self.seconds
