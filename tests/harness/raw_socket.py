"""HTTP/1.1 by hand: bytes are sent as they are, and what comes back is taken apart."""

import socket
from collections.abc import Iterable
from types import TracebackType
from typing import NamedTuple, Self

READ_BYTES = 65_536
Header = tuple[bytes, bytes]


class RawResponse(NamedTuple):
    """A response; its status is 0 where the connection ended without one."""

    status: int
    headers: list[Header]
    body: bytes

    def header(self, name: bytes) -> bytes:
        """Return the value of a header, empty where there is none."""
        return next((value for given, value in self.headers if given.lower() == name), b"")


class RawSocket:
    """A connection that sends any bytes, opened anew for a request where the last has ended."""

    def __init__(self, port: int, timeout_s: float = 30.0) -> None:
        self._port = port
        self._timeout_s = timeout_s
        self._socket: socket.socket | None = None
        self._read = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def request(
        self,
        method: str,
        target: str | bytes,
        headers: Iterable[Header] = (),
        body: bytes | None = None,
    ) -> RawResponse:
        """Send a request, target and headers untouched, and return the response."""
        return self.exchange(request_bytes(method, target, headers, body), method=method)

    def exchange(self, raw: bytes, *, method: str = "GET") -> RawResponse:
        """Send bytes and return the response, from a new connection if need be."""
        was_open = self._socket is not None
        try:
            self.send(raw)
            response = self.read_response(method=method)
        except OSError:
            response = RawResponse(0, [], b"")
        if response.status == 0:
            self.close()
            if was_open:
                return self.exchange(raw, method=method)
        elif response.header(b"connection").lower() == b"close":
            self.close()
        return response

    def send(self, raw: bytes) -> None:
        """Send bytes."""
        if self._socket is None:
            self._socket = socket.create_connection(
                ("127.0.0.1", self._port), timeout=self._timeout_s
            )
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._read = b""
        self._socket.sendall(raw)

    def read_response(self, *, method: str = "GET") -> RawResponse:
        """Return the next response on the connection."""
        while b"\r\n\r\n" not in self._read:
            if not self._read_more():
                return RawResponse(0, [], b"")
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        headers = [
            (name, value.strip()) for name, _, value in (line.partition(b":") for line in lines)
        ]
        response = RawResponse(int(first.split(b" ")[1]), headers, b"")
        if method == "HEAD" or response.status in {204, 304} or response.status < 200:
            return response
        length = int(response.header(b"content-length") or 0)
        while len(self._read) < length:
            if not self._read_more():
                break
        body, self._read = self._read[:length], self._read[length:]
        return response._replace(body=body)

    def _read_more(self) -> bool:
        assert self._socket is not None
        part = self._socket.recv(READ_BYTES)
        self._read += part
        return bool(part)


def request_bytes(
    method: str, target: str | bytes, headers: Iterable[Header] = (), body: bytes | None = None
) -> bytes:
    """Return a request in bytes, its body with the length that it has."""
    path = target if isinstance(target, bytes) else target.encode("utf-8", "surrogateescape")
    lines = [b"%b %b HTTP/1.1" % (method.encode(), path), b"Host: x"]
    lines += [name + b": " + value for name, value in headers]
    if body is not None:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + (body or b"")


def raw_headers(key: str, media_type: str = "") -> list[Header]:
    """Return the headers that carry a key and a media type."""
    headers = [(b"Authorization", b"Bearer " + key.encode())]
    return [*headers, (b"Content-Type", media_type.encode())] if media_type else headers
