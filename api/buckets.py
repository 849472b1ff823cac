"""Token buckets: how many requests a key may still send, in this process."""

import math
from typing import Final

import msgspec

_SECOND: Final = 1_000_000
"""In microseconds, which is how instants and durations are counted here."""


class Take(msgspec.Struct, frozen=True):
    """One try to take a token; `wait_s` is how long the next one takes to come, 0 if there."""

    taken: bool
    left: int
    wait_s: int


class Buckets:
    """A bucket of `rate` tokens for each key, which gains `rate` tokens a second until it is full.

    Only what a bucket lacks is kept, as the instant at which it will be full again: a full one
    takes no memory, once the next sweep has passed.
    """

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._token = -(-_SECOND // rate)
        self._empty = self._token * rate
        self._full_at: dict[str, int] = {}
        self._sweep_at_size = 1_024

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, key: str, now: int) -> Take:
        """Take a token, if there is one; `now` is in microseconds.

        A clock that was set back leaves a bucket empty at worst, for a second.
        """
        lacking = min(max(self._full_at.get(key, 0) - now, 0), self._empty)
        taken = lacking + self._token <= self._empty
        if taken:
            lacking += self._token
            self._keep(key, now + lacking, now)
        left = (self._empty - lacking) // self._token
        wait = max(lacking + self._token - self._empty, 0)
        return Take(taken, left, math.ceil(wait / _SECOND))

    def _keep(self, key: str, full_at: int, now: int) -> None:
        if key not in self._full_at and len(self._full_at) >= self._sweep_at_size:
            self._full_at = {
                one: at for one, at in self._full_at.items() if now < at <= now + self._empty
            }
            self._sweep_at_size = max(1_024, 2 * len(self._full_at))
        self._full_at[key] = full_at
