"""The query cache: answers in Redis, with the revisions of the projections they were made from.

An entry is current while the cursors in the read store have these revisions, so nothing has to be
invalidated. While Redis is down, every query goes to the database.
"""

from __future__ import annotations

import hashlib
import random
import time
from functools import cache, cached_property
from typing import Any, NamedTuple

import msgspec
from redis import Redis
from redis.exceptions import RedisError

from cqrs_app.kernel.messages.shapes import shape_of
from cqrs_app.kernel.subscriptions.background import logger

FLIGHT_MS = 3_000
"""How long one process may take to compute an answer before another starts as well."""
REST_SECONDS = 1.0
MOST_ASKED = 20
"""How many questions of one hot query are computed again at most."""


class Entry(msgspec.Struct, frozen=True):
    """A cached answer as JSON, with the positions and revisions of the projections it was made
    from."""

    positions: dict[str, int]
    revisions: dict[str, int]
    value: msgspec.Raw


_decode = msgspec.json.Decoder(Entry).decode


class AnswerCodec:
    """Decodes the cached answers of one query; `answer` is their type."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    @cached_property
    def shape(self) -> bytes:
        """The JSON schema of an answer in this release, without documentation."""
        return msgspec.json.encode(shape_of(self._answer))

    def decode(self, text: msgspec.Raw) -> Any:
        """Raises MsgspecError for a text that is no such answer."""
        return self._decoder.decode(text)

    @cached_property
    def _decoder(self) -> msgspec.json.Decoder[Any]:
        return msgspec.json.Decoder(self._answer)


@cache
def codec_of(answer: Any) -> AnswerCodec:
    """The codec of answers of this type, one per process."""
    return AnswerCodec(answer)


class Kept(NamedTuple):
    """An entry with its answer decoded."""

    entry: Entry
    value: Any


class Asked(NamedTuple):
    """A question: the name of the query, and its parameters as JSON."""

    query: str
    parameters: bytes


class QueryCache:
    """`ttl` in seconds, varied by up to a tenth so that entries made together do not expire
    together. The keys in Redis begin with `prefix`."""

    def __init__(self, redis: Redis, ttl: int, prefix: str) -> None:
        self._entries = f"{prefix}:cache:"
        self._asked = f"{prefix}:asked:"
        self._redis = redis
        self._ttl = ttl
        self._rest_until = 0.0

    def key(self, name: str, shape: bytes, parameters: bytes) -> str:
        """The key of the answer to a query with these parameters. It depends on `shape`, so that
        releases with different shapes use different entries."""
        return f"{self._entries}{name}:{hashlib.sha256(shape + parameters).hexdigest()[:32]}"

    @property
    def is_down(self) -> bool:
        return time.monotonic() < self._rest_until

    def look_up(self, key: str, codec: AnswerCodec) -> Kept | None:
        """The cached answer, or None if there is none or it cannot be decoded."""
        if self.is_down:
            return None
        try:
            found: Any = self._redis.get(key)
        except RedisError as error:
            self._rest(error)
            return None
        if found is None:
            return None
        try:
            entry = _decode(found)
            return Kept(entry, codec.decode(entry.value))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None

    def store(self, key: str, entry: Entry, asked: Asked | None = None) -> None:
        """Keep an answer. With `asked`, note the question: see `asked`."""
        if self.is_down:
            return
        seconds = int(self._ttl * random.uniform(0.9, 1.0)) or 1  # noqa: S311 - spreads load
        try:
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.set(key, msgspec.json.encode(entry), ex=seconds)
            pipeline.delete(key + ":flight")
            if asked:
                named = f"{self._asked}{asked.query}"
                pipeline.zadd(named, {asked.parameters: time.time()})
                pipeline.zremrangebyrank(named, 0, -MOST_ASKED - 1)
                pipeline.expire(named, self._ttl)
            pipeline.execute()
        except RedisError as error:
            self._rest(error)

    def replace(self, key: str, entry: Entry) -> None:
        """Put a newer answer in the place of one that is kept, for no longer than that was to be:
        so an answer that nobody asks for expires."""
        try:
            pipeline = self._redis.pipeline(transaction=False)
            pipeline.set(key, msgspec.json.encode(entry), xx=True, keepttl=True)
            pipeline.delete(key + ":flight")
            pipeline.execute()
        except RedisError as error:
            self._rest(error)

    def asked(self, query: str) -> list[bytes]:
        """The parameters with which the query was asked while answers are kept, the latest
        MOST_ASKED at most."""
        if self.is_down:
            return []
        try:
            since = time.time() - self._ttl
            found: Any = self._redis.zrangebyscore(f"{self._asked}{query}", since, "+inf")
        except RedisError as error:
            self._rest(error)
            return []
        return list(found)

    def forget_asked(self, asked: Asked) -> None:
        """Forget a question until it is asked again."""
        try:
            self._redis.zrem(f"{self._asked}{asked.query}", asked.parameters)
        except RedisError as error:
            self._rest(error)

    def begin_flight(self, key: str) -> bool:
        """Whether the caller should compute this answer now: one at a time, or all while Redis is
        down."""
        if self.is_down:
            return True
        try:
            return bool(self._redis.set(key + ":flight", 1, nx=True, px=FLIGHT_MS))
        except RedisError as error:
            self._rest(error)
            return True

    def invalidate(self, pattern: str = "*") -> int:
        """Delete the answers of the query types that match (`ListOrders`, `*Orders`); returns how
        many.

        Raises RedisError if Redis does not answer: the caller must know.
        """
        keys = list(self._redis.scan_iter(match=f"{self._entries}{pattern}:*", count=1000))
        for start in range(0, len(keys), 1000):
            self._redis.delete(*keys[start : start + 1000])
        return len(keys)

    def forget_all(self) -> None:
        """Delete every answer, since a person was erased. While Redis is down, answers expire by
        themselves (`ttl`), and an outdated one is not used as current."""
        try:
            self.invalidate()
        except RedisError as error:
            self._rest(error)

    def _rest(self, error: RedisError) -> None:
        self._rest_until = time.monotonic() + REST_SECONDS
        logger.warning("The query cache is away (%s); answers come from the database", error)
