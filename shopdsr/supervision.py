"""The replacement of worker processes that end while the service runs."""

import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from granian.server.mp import MPServer

START_S: Final = 5.0
"""A worker that ends by itself within so long has failed at its start."""

FAILED_STARTS_MAX: Final = 2

_FROM_OUTSIDE: Final = {-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP}
_KILLED_PAUSE_S: Final = 0.2


class SupervisingServer(MPServer):
    """A server that replaces every worker that was killed.

    Granian by itself takes two ends of a worker within seconds for a fault of the application,
    and ends the service, although the workers were killed from outside.
    """

    def _serve_loop(
        self, spawn_target: Callable[..., None], target_loader: Callable[..., Any]
    ) -> None:
        failed_starts: Counter[int] = Counter()
        while True:
            self.main_loop_interrupt.wait()
            self.main_loop_interrupt.clear()
            while self.interrupt_children and not self.interrupt_signal:
                index = self.interrupt_children[0]
                failed_starts[index] = (
                    failed_starts[index] + 1 if self._has_failed_at_start(index) else 0
                )
                if failed_starts[index] == FAILED_STARTS_MAX:
                    # With this worker among those that have ended the exit status is 1.
                    sys.stderr.write(
                        f"Error: a worker ends at its start, {FAILED_STARTS_MAX} times in a row, "
                        "for the cause above: the service ends\n"
                    )
                    return
                self.interrupt_children.pop(0)
                # Never in a busy loop, whoever kills.
                time.sleep(_KILLED_PAUSE_S)
                self._respawn_workers([index], spawn_target, target_loader)
            if self.interrupt_signal:
                return
            if self.reload_signal:
                self._reload(spawn_target, target_loader)  # type: ignore[no-untyped-call]

    def _has_failed_at_start(self, index: int) -> bool:
        worker = self.wrks[index]
        lived_s = time.monotonic() - worker.birth
        return lived_s < START_S and worker.inner.exitcode not in _FROM_OUTSIDE
