"""Steps: a computation that can be interrupted, so that none computes for long at a time."""

from collections.abc import Generator
from typing import Final, TypeAlias, TypeVar

T = TypeVar("T")

ITEMS_A_STEP: Final = 50
"""How many items that take some microseconds each make a step."""

Steps: TypeAlias = Generator[None, None, T]
"""Each step takes far less than a millisecond; the last one returns the result."""
