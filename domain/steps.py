"""Steps: a computation that can be interrupted, so that none computes for long at a time."""

from collections.abc import Generator
from typing import TypeAlias, TypeVar

T = TypeVar("T")

Steps: TypeAlias = Generator[None, None, T]
"""Each step takes far less than a millisecond; the last one returns the result."""
