"""Which traces are kept when there are too many."""

from __future__ import annotations

import time
import zlib

MOST_DOUBLINGS = 20


class Sampler:
    """Accepts all up to `per_second`, and beyond that every second, fourth, eighth... by a checksum
    of the correlation id: what one process accepts, another with less to do accepts too."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._second = int(time.monotonic())
        self._accepted = 0
        self._doublings = 0

    def __call__(self, correlation_id: str) -> bool:
        now = int(time.monotonic())
        if now != self._second:
            self._doublings = max(self._doublings - (now - self._second), 0)
            self._second, self._accepted = now, 0
        if self._doublings:
            mask = (1 << self._doublings) - 1
            if zlib.crc32(correlation_id.encode()) & mask:
                return False
        self._accepted += 1
        if self._accepted > self._per_second and self._doublings < MOST_DOUBLINGS:
            self._doublings += 1
            self._accepted = 0
        return True
