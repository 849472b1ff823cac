"""Token buckets: how many requests a key may still send, in this process.

Litestar's own limit counts windows, so that twice the rate may pass at the border of two.
"""

from typing import Final

import msgspec

_TOKEN: Final = 1_000_000
"""What comes in a microsecond is counted as `rate`, so a token is a million, with nothing lost."""

_SWEEP_AT_SIZE: Final = 1_024


class LimitResult(msgspec.Struct, frozen=True):
    """One try to take a token; `wait_s` is how long the next one takes to come, 0 if there."""

    taken: bool
    left: int
    wait_s: int


class TokenBucketLimiter:
    """A bucket of `rate` tokens for each key, which gains `rate` tokens a second until it is full.

    Only what a bucket lacks is stored, as the instant at which it will be full again: a full one
    takes no memory, once the next sweep has passed.
    """

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._whole = _TOKEN * rate
        self._full_at: dict[str, int] = {}
        self._sweep_at_size = _SWEEP_AT_SIZE

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, key: str, now_us: int) -> LimitResult:
        """Take a token, if there is one.

        A clock that was set back leaves a bucket empty at worst.
        """
        now = now_us * self.rate
        lacking = min(max(self._full_at.get(key, now) - now, 0), self._whole)
        taken = lacking + _TOKEN <= self._whole
        if taken:
            lacking += _TOKEN
        self._keep(key, now + lacking, now)
        left, rest = divmod(self._whole - lacking, _TOKEN)
        return LimitResult(taken, left, 0 if left else -(-(_TOKEN - rest) // self._whole))

    def _keep(self, key: str, full_at: int, now: int) -> None:
        if key not in self._full_at and len(self._full_at) >= self._sweep_at_size:
            latest = now + self._whole
            full_at_by_key = self._full_at.items()
            self._full_at = {name: at for name, at in full_at_by_key if now < at <= latest}
            self._sweep_at_size = max(_SWEEP_AT_SIZE, 2 * len(self._full_at))
        self._full_at[key] = full_at
