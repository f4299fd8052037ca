"""Rate limits per token."""

from __future__ import annotations

import threading
from collections import Counter

from redis import Redis

from cqrs_app.platform.operators.rates import Rates

GUESSES_PER_MINUTE = 30
"""Requests with unknown tokens from one address; a valid token is accepted from there nevertheless.
"""


PORTIONS = 100
"""A process counts a token's requests in portions of a hundredth of its limit, so that most of them
do not wait for Redis. The requests of one minute may differ from the limit by as much for each
process; below 200 a minute each request is counted alone."""


class RequestLimits:
    """Requests per minute and token; 0 means no limit."""

    def __init__(self, redis: Redis, requests_per_minute: int) -> None:
        self._rates = Rates(redis)
        self._per_minute = requests_per_minute
        self._unlimited = requests_per_minute == 0
        self._portion = max(1, requests_per_minute // PORTIONS)
        self._counted: Counter[str] = Counter()
        self._lock = threading.Lock()

    def takes(self, requests: int) -> bool:
        """Whether so many fit into one minute at all."""
        return self._unlimited or requests <= self._per_minute

    def wait_of(self, token: str, requests: int = 1) -> int:
        """Count requests of this token: 0, or the seconds to wait if there were too many."""
        if self._unlimited:
            return 0
        with self._lock:
            if self._counted[token] >= requests:
                self._counted[token] -= requests
                return 0
        cost = max(self._portion, requests)
        wait = self._rates.wait_of(self._per_minute, "token", token, cost=cost)
        if not wait:
            with self._lock:
                self._counted[token] += cost - requests
        return wait

    def wait_of_guess(self, address: str) -> int:
        """Count an unknown token from this address in the same way."""
        return self._rates.wait_of(GUESSES_PER_MINUTE, "guess", address)
