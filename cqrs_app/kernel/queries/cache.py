"""The query cache: answers in Redis, tagged with the positions they were made from.

A projection's tag is its checkpoint. It is set after each commit and again by the sweep, so a tag
that got lost with Redis, or on its way, heals within a second. When Redis is away, every question
passes through to the database.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Iterable

import msgspec
from redis import Redis
from redis.exceptions import RedisError

from cqrs_app.kernel.subscriptions.background import logger

FLIGHT_MS = 3_000
"""How long one process may take to compute an answer before another tries too."""
REST_SECONDS = 1.0


class Entry(msgspec.Struct, frozen=True):
    """A cached answer: its JSON, and the projections' positions that it was made from."""

    positions: dict[str, int]
    value: msgspec.Raw


_decode = msgspec.json.Decoder(Entry).decode


class QueryCache:
    """`ttl` in seconds, spread by a tenth so that entries made together do not end together; the
    keys in Redis begin with `prefix`."""

    def __init__(self, redis: Redis, ttl: int, prefix: str) -> None:
        self._entries, self._tags = f"{prefix}:cache:", f"{prefix}:position:"
        self._redis = redis
        self._ttl = ttl
        self._rest_until = 0.0

    def key(self, name: str, parameters: bytes) -> str:
        return f"{self._entries}{name}:{hashlib.sha256(parameters).hexdigest()[:32]}"

    @property
    def away(self) -> bool:
        return time.monotonic() < self._rest_until

    def look_up(self, key: str, reads: Iterable[str]) -> tuple[Entry | None, bool]:
        """The entry, and whether it was made at the projections' present positions."""
        names = tuple(reads)
        if self.away:
            return None, False
        try:
            found = self._redis.mget([key, *(self._tags + name for name in names)])
        except RedisError as error:
            self._rest(error)
            return None, False
        if found[0] is None:
            return None, False
        entry = _decode(found[0])
        tags = {name: int(tag) for name, tag in zip(names, found[1:], strict=True) if tag}
        return entry, tags == entry.positions

    def store(self, key: str, entry: Entry) -> None:
        if self.away:
            return
        seconds = int(self._ttl * random.uniform(0.9, 1.0)) or 1  # noqa: S311 - spreads load
        try:
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.set(key, msgspec.json.encode(entry), ex=seconds)
            for name, position in entry.positions.items():
                pipeline.set(self._tags + name, position, nx=True)
            pipeline.delete(key + ":flight")
            pipeline.execute()
        except RedisError as error:
            self._rest(error)

    def take_off(self, key: str) -> bool:
        """True for the one who may compute this answer now; True for all while Redis is away."""
        if self.away:
            return True
        try:
            return bool(self._redis.set(key + ":flight", 1, nx=True, px=FLIGHT_MS))
        except RedisError as error:
            self._rest(error)
            return True

    def tag(self, positions: dict[str, int]) -> None:
        """Projections have reached these positions."""
        if self.away or not positions:
            return
        try:
            self._redis.mset({self._tags + name: position for name, position in positions.items()})
        except RedisError as error:
            self._rest(error)

    def invalidate(self, pattern: str = "*") -> int:
        """Forget the answers of the query types that match (`ListOrders`, `*Orders`); how many.

        Raises RedisError when Redis does not answer: whoever asked must know.
        """
        keys = list(self._redis.scan_iter(match=f"{self._entries}{pattern}:*", count=1000))
        for start in range(0, len(keys), 1000):
            self._redis.delete(*keys[start : start + 1000])
        return len(keys)

    def forget_all(self) -> None:
        """Forget every answer: somebody's data was erased. With Redis away, answers end by
        themselves (`ttl`), and one that is out of date is not used as a current one."""
        try:
            self.invalidate()
        except RedisError as error:
            self._rest(error)

    def _rest(self, error: RedisError) -> None:
        self._rest_until = time.monotonic() + REST_SECONDS
        logger.warning("The query cache is away (%s); answers come from the database", error)
