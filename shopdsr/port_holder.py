"""Which process listens on a port: what an operator asks when the port is taken."""

from contextlib import suppress
from pathlib import Path

_LISTENING = "0A"


def port_holder(port: int) -> str:
    """Return the process that listens on a TCP port, or nothing where it is hidden."""
    sockets = set(_listening(port))
    for opened in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):  # another user's, or ended
            if str(opened.readlink()) in sockets:
                process = opened.parents[1]
                return f"process {process.name} ({(process / 'comm').read_text().strip()})"
    return ""


def _listening(port: int) -> list[str]:
    """Return the sockets that listen on a port, as links of open files name them."""
    sockets = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                _, address, _, state, *rest = line.split()
                if state == _LISTENING and int(address.rpartition(":")[2], 16) == port:
                    sockets.append(f"socket:[{rest[5]}]")
    return sockets
