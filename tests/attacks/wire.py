"""HTTP/1.1 by hand: bytes are sent as they are, and what comes back is taken apart."""

import socket
from collections.abc import Iterable
from types import TracebackType
from typing import NamedTuple, Self

READ_BYTES = 65_536
Header = tuple[bytes, bytes]


class Answer(NamedTuple):
    """One answer; status 0 where the connection ended without one."""

    status: int
    headers: list[Header]
    body: bytes

    def header(self, name: bytes) -> bytes:
        """The value of a header, empty where there is none."""
        return next((value for given, value in self.headers if given.lower() == name), b"")


class Wire:
    """Asks one request after another on a connection, and on a new one where that has ended."""

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
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def ask(
        self, method: str, target: str, headers: Iterable[Header] = (), body: bytes | None = None
    ) -> Answer:
        """One request, its target and headers untouched."""
        return self.exchange(request(method, target, headers, body), method=method)

    def exchange(self, raw: bytes, *, method: str = "GET") -> Answer:
        """Send bytes and take the answer; once more on a new connection if the old one was dead."""
        was_open = self._socket is not None
        try:
            self.send(raw)
            answer = self.answer(method=method)
        except OSError:
            answer = Answer(0, [], b"")
        if answer.status == 0:
            self.close()
            if was_open:
                return self.exchange(raw, method=method)
        elif answer.header(b"connection").lower() == b"close":
            self.close()
        return answer

    def send(self, raw: bytes) -> None:
        if self._socket is None:
            self._socket = socket.create_connection(
                ("127.0.0.1", self._port), timeout=self._timeout_s
            )
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._read = b""
        self._socket.sendall(raw)

    def answer(self, *, method: str = "GET") -> Answer:
        """The next answer on the connection."""
        while b"\r\n\r\n" not in self._read:
            if not self._more():
                return Answer(0, [], b"")
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        headers = [
            (name, value.strip()) for name, _, value in (line.partition(b":") for line in lines)
        ]
        answer = Answer(int(first.split(b" ")[1]), headers, b"")
        if method == "HEAD" or answer.status in {204, 304} or answer.status < 200:
            return answer
        length = int(answer.header(b"content-length") or 0)
        while len(self._read) < length:
            if not self._more():
                break
        body, self._read = self._read[:length], self._read[length:]
        return answer._replace(body=body)

    def is_closed(self) -> bool:
        """Whether the server has ended the connection, which is waited for."""
        try:
            return not self._more()
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False

    def _more(self) -> bool:
        assert self._socket is not None
        part = self._socket.recv(READ_BYTES)
        self._read += part
        return bool(part)


def request(
    method: str, target: str, headers: Iterable[Header] = (), body: bytes | None = None
) -> bytes:
    """A request in bytes, its body with the length that it has."""
    lines = [f"{method} {target} HTTP/1.1".encode("utf-8", "surrogateescape"), b"Host: x"]
    lines += [name + b": " + value for name, value in headers]
    if body is not None:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + (body or b"")
