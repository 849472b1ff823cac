"""The end of a worker: `/readyz` says no first, then requests in flight are answered."""

import asyncio
import os
import signal

from domain.ports import Health


class Draining:
    """Health that says no from SIGTERM on, while requests are still served for a notice.

    A load balancer has this long to see it and to send requests elsewhere.
    """

    def __init__(self, health: Health, notice_ms: int) -> None:
        self._health = health
        self._notice_s = notice_ms / 1000
        self._has_begun = False

    def listen(self) -> None:
        """Let SIGTERM begin the draining, in place of the server's own handler."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._begin)

    async def is_ready(self) -> bool:
        """See `domain.ports.Health`."""
        return not self._has_begun and await self._health.is_ready()

    def _begin(self) -> None:
        if not self._has_begun:
            self._has_begun = True
            # The server handles SIGINT as it would have handled SIGTERM.
            asyncio.get_running_loop().call_later(
                self._notice_s, os.kill, os.getpid(), signal.SIGINT
            )
