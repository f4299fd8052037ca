"""How long this thread waits for an answer of PostgreSQL."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_deadline: ContextVar[float] = ContextVar("deadline", default=math.inf)

LOOK_UP_SECONDS = 5.0
"""How long a request waits to find out who sends it."""

LEAST_SECONDS = 0.5
"""Enough for a server that answers to end a transaction after the deadline."""


@contextmanager
def answered_within(seconds: float) -> Iterator[None]:
    """Wait no longer for all the statements that run inside, on PostgreSQL."""
    token = _deadline.set(min(_deadline.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _deadline.reset(token)


def seconds_left() -> float:
    """The time until the deadline, infinite without one."""
    return max(_deadline.get() - time.monotonic(), LEAST_SECONDS)
