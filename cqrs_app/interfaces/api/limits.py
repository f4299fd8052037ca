"""How often a token may ask; counted in Redis, per process while Redis is away."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from redis import Redis
from redis.exceptions import RedisError

REST_SECONDS = 1.0
"""How long Redis is left alone after it did not answer."""

GUESSES_PER_MINUTE = 30
"""Unknown tokens from one address; a good one is heard from there all the same."""


PORTIONS = 100
"""A process counts a token's requests in portions of a hundredth of its limit, so that most of them
do not wait for Redis. The requests of one minute may differ from the limit by as much for each
process; below 200 a minute each request is counted alone."""


class RequestLimits:
    """Requests per minute and token; 0 means no limit."""

    def __init__(self, redis: Redis, requests_per_minute: int) -> None:
        # The address is not used: the pool has its own.
        storage = RedisStorage(
            "redis://", connection_pool=redis.connection_pool, key_prefix="countersign:limits"
        )
        self._shared = SlidingWindowCounterRateLimiter(storage)
        self._own = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._requests = RateLimitItemPerMinute(requests_per_minute or 1)
        self._guesses = RateLimitItemPerMinute(GUESSES_PER_MINUTE)
        self._unlimited = requests_per_minute == 0
        self._portion = max(1, requests_per_minute // PORTIONS)
        self._counted: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._rest_until = 0.0

    def wait_of(self, token: str) -> int:
        """Count a request of this token: 0, or the seconds to wait when it was one too many."""
        if self._unlimited:
            return 0
        with self._lock:
            if self._counted[token]:
                self._counted[token] -= 1
                return 0
        wait = self._count(self._requests, "token", token, cost=self._portion)
        if not wait:
            with self._lock:
                self._counted[token] += self._portion - 1
        return wait

    def wait_of_guess(self, address: str) -> int:
        """Count an unknown token from this address in the same way."""
        return self._count(self._guesses, "guess", address)

    def _count(self, item: RateLimitItemPerMinute, *key: str, cost: int = 1) -> int:
        if time.monotonic() >= self._rest_until:
            try:
                return _wait(self._shared, item, key, cost)
            except RedisError:
                self._rest_until = time.monotonic() + REST_SECONDS
        return _wait(self._own, item, key, cost)


def _wait(
    limiter: SlidingWindowCounterRateLimiter,
    item: RateLimitItemPerMinute,
    key: tuple[str, ...],
    cost: int,
) -> int:
    if limiter.hit(item, *key, cost=cost):
        return 0
    return max(1, math.ceil(limiter.get_window_stats(item, *key).reset_time - time.time()))
