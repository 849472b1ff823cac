"""The HTTP client of every suite: httpx, over sockets or straight into an application.

Each response is compared with the contract.
"""

import ssl
from typing import Any, cast

import httpx
from litestar import Litestar

from tests.contract.validation import check, check_async

TIMEOUT_S = 60.0

JSON = "application/json"
NDJSON = "application/x-ndjson"
EVENT = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"

# Nothing here speaks TLS; a client that made a context of its own would take milliseconds for it.
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def open_client(url: str, key: str = "", timeout_s: float = TIMEOUT_S) -> httpx.Client:
    """Return a client of a server."""
    return httpx.Client(
        base_url=url,
        headers=authorization(key),
        timeout=timeout_s,
        trust_env=False,
        verify=_NO_TLS,
        event_hooks={"response": [_read_and_check]},
    )


def open_async_client(url: str, key: str = "", timeout_s: float = TIMEOUT_S) -> httpx.AsyncClient:
    """Return a client of a server for an event loop."""
    return httpx.AsyncClient(
        base_url=url,
        headers=authorization(key),
        timeout=timeout_s,
        trust_env=False,
        verify=_NO_TLS,
        event_hooks={"response": [check_async]},
    )


def open_app_client(app: Litestar, key: str) -> httpx.AsyncClient:
    """Return a client of an application that runs in the same event loop."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=cast("Any", app)),
        base_url="http://service",
        headers=authorization(key),
        event_hooks={"response": [check_async]},
    )


def get_status(url: str, key: str = "", timeout_s: float = 5.0) -> int:
    """Return the status of a GET on a new connection, or 0 without a response."""
    try:
        with open_client(url, key, timeout_s) as client:
            return client.get(url).status_code
    except httpx.TransportError:
        return 0


def authorization(key: str) -> dict[str, str]:
    """Return the header that carries a key."""
    return {"authorization": f"Bearer {key}"} if key else {}


def _read_and_check(response: httpx.Response) -> None:
    response.read()
    check(response)
