"""How long to wait after a failure. Pure."""

from __future__ import annotations

from datetime import timedelta

PAUSES = tuple(
    timedelta(seconds=seconds) for seconds in (1, 5, 30, 2 * 60, 10 * 60, 30 * 60, 3600, 2 * 3600)
)
"""After the first failure, the second, and so on. The last one repeats."""

JITTER = 0.2
"""The fraction by which a pause varies, so that attempts at one receiver spread out."""


def pause_after(failures: int, chance: float) -> timedelta:
    """The pause after this many failures in a row (1 or more); `chance` is between 0 and 1."""
    step = PAUSES[min(failures, len(PAUSES)) - 1]
    return step * (1 + JITTER * (2 * chance - 1))
