"""Token buckets: never more than the rate, never less than was promised, and little memory."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.rate_limit import TokenBucketLimiter

SECOND = 1_000_000
START = 1_790_000_000 * SECOND


@pytest.mark.parametrize(
    ("rate", "at", "expected"),
    [
        (1, [0, 0], [(True, 0, 1), (False, 0, 1)]),
        (1, [0, SECOND - 1], [(True, 0, 1), (False, 0, 1)]),
        (1, [0, SECOND], [(True, 0, 1), (True, 0, 1)]),
        (2, [0, 0, 0], [(True, 1, 0), (True, 0, 1), (False, 0, 1)]),
        (2, [0, 0, SECOND // 2], [(True, 1, 0), (True, 0, 1), (True, 0, 1)]),
        (2, [0, 0, SECOND], [(True, 1, 0), (True, 0, 1), (True, 1, 0)]),
        (3, [0, 0, SECOND], [(True, 2, 0), (True, 1, 0), (True, 2, 0)]),
        (2, [0, 0, 60 * SECOND], [(True, 1, 0), (True, 0, 1), (True, 1, 0)]),
        (3, [0, 0, 0, 0, SECOND // 3 + 1], [
            (True, 2, 0),
            (True, 1, 0),
            (True, 0, 1),
            (False, 0, 1),
            (True, 0, 1),
        ]),
    ],
)  # fmt: skip
def test_a_bucket_gives_what_it_has_gained(
    rate: int, at: list[int], expected: list[tuple[bool, int, int]]
) -> None:
    buckets = TokenBucketLimiter(rate)
    taken = [buckets.take("k", START + instant) for instant in at]
    assert [msgspec.structs.astuple(result) for result in taken] == expected


def test_keys_have_buckets_of_their_own() -> None:
    buckets = TokenBucketLimiter(1)
    assert [buckets.take(key, START).taken for key in "abab"] == [True, True, False, False]


@given(
    rate=st.integers(1, 50),
    steps=st.lists(st.integers(0, SECOND // 4), min_size=1, max_size=200),
)
def test_no_window_has_more_than_a_bucket_and_its_gain(rate: int, steps: list[int]) -> None:
    buckets = TokenBucketLimiter(rate)
    now, taken = START, []
    for step in steps:
        now += step
        if buckets.take("k", now).taken:
            taken.append(now)
    for index, start in enumerate(taken):
        for number, end in enumerate(taken[index:], start=1):
            assert number <= rate + (end - start) * rate / SECOND


@given(rate=st.integers(1, 1_000_000), steps=st.lists(st.integers(0, 3 * SECOND), max_size=50))
def test_who_waits_as_told_is_served_and_who_has_tokens_left_is_too(
    rate: int, steps: list[int]
) -> None:
    buckets = TokenBucketLimiter(rate)
    now = START
    for step in steps:
        now += step
        take = buckets.take("k", now)
        if take.taken and take.left:
            assert buckets.take("k", now).taken
        if not take.taken:
            assert take.wait_s == 1
            now += take.wait_s * SECOND
            assert buckets.take("k", now).taken


@given(rate=st.integers(1, 100), back=st.integers(0, 10**15))
def test_a_clock_that_was_set_back_costs_a_second_at_most(rate: int, back: int) -> None:
    buckets = TokenBucketLimiter(rate)
    while buckets.take("k", START).taken:
        pass
    buckets.take("k", START - back)
    assert buckets.take("k", START - back + SECOND).taken


def test_buckets_that_are_full_again_take_no_memory() -> None:
    buckets = TokenBucketLimiter(10)
    for number in range(100_000):
        buckets.take(f"k-{number}", START + number * 1_000)
    assert len(buckets) < 3_000
