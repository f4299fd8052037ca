"""Rate limits per minute, counted in Redis, or per process while Redis is down."""

from __future__ import annotations

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from redis import Redis
from redis.exceptions import RedisError

from cqrs_app.platform.operators.throttle import network_of

REST_SECONDS = 1.0
"""How long Redis is not contacted after it did not answer."""


class Rates:
    """Counts per key in sliding windows of one minute."""

    def __init__(self, redis: Redis) -> None:
        # The URL is not used: the connection pool has its own.
        storage = RedisStorage(
            "redis://", connection_pool=redis.connection_pool, key_prefix="countersign:limits"
        )
        self._shared = SlidingWindowCounterRateLimiter(storage)
        self._own = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._rest_until = 0.0

    def wait_of(self, per_minute: int, *key: str, cost: int = 1) -> int:
        """Count `cost` for this key. Returns 0, or the seconds to wait if the limit is exceeded."""
        item = RateLimitItemPerMinute(per_minute)
        if time.monotonic() >= self._rest_until:
            try:
                return _wait(self._shared, item, key, cost)
            except RedisError:
                self._rest_until = time.monotonic() + REST_SECONDS
        return _wait(self._own, item, key, cost)


class SignInRates:
    """Limits attempts to sign in, whatever the name, since each costs the time to hash a password.
    0 means no limit."""

    def __init__(self, rates: Rates, *, per_address: int, in_all: int) -> None:
        self._rates = rates
        self._per_address = per_address
        self._in_all = in_all

    def wait_of(self, address: str) -> int:
        """Count an attempt from this address. Returns 0, or the seconds to wait."""
        wait = 0
        if self._per_address:
            wait = self._rates.wait_of(self._per_address, "sign-in", network_of(address))
        if self._in_all and not wait:
            wait = self._rates.wait_of(self._in_all, "sign-ins")
        return wait


def _wait(
    limiter: SlidingWindowCounterRateLimiter,
    item: RateLimitItemPerMinute,
    key: tuple[str, ...],
    cost: int,
) -> int:
    if limiter.hit(item, *key, cost=cost):
        return 0
    return max(1, math.ceil(limiter.get_window_stats(item, *key).reset_time - time.time()))
