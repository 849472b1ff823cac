"""Turns of event loops: how long one callback computes, while all others wait for it."""

import asyncio
import gc
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

TURN_MS_MAX = 150.0
"""The longest turn, in processor time, on a machine that others share; most take a tenth of it."""


class Turns:
    """The longest turn so far, in milliseconds of processor time."""

    longest_ms = 0.0


@contextmanager
def measured_turns(*, of_this_thread: bool = False) -> Iterator[Turns]:
    """Measure the turns of the event loops of other threads, or of this one."""
    here, turns, run = threading.get_ident(), Turns(), asyncio.Handle._run
    gc.collect()

    def measured(handle: asyncio.Handle) -> None:
        started_s = time.thread_time()
        run(handle)
        if (threading.get_ident() == here) == of_this_thread:
            turns.longest_ms = max(turns.longest_ms, (time.thread_time() - started_s) * 1_000)

    # As the service does: the collector need not look at what is there before.
    gc.freeze()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asyncio.Handle, "_run", measured)
            yield turns
    finally:
        gc.unfreeze()
