"""Connections to PostgreSQL that do not wait for ever.

A frozen server keeps its connections open, and its operating system acknowledges every packet, so
neither the network nor the server's own limits end a statement.
"""

from __future__ import annotations

import math
import time
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.errors import ConnectionTimeout, _WaitTimeout

from cqrs_app.kernel.store.deadlines import seconds_left

T = TypeVar("T")

REST_SECONDS = 2.0
"""After an attempt to connect that got no answer, others fail at once for so long."""


class Connection(psycopg.Connection[Any]):
    """Waits at most `limit` seconds for each answer, and no longer than `answered_within` says."""

    limit = math.inf

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        seconds = min(self.limit, seconds_left())
        if timeout is not None or seconds == math.inf:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, seconds)
        except _WaitTimeout:
            # What the server would still send belongs to this statement.
            self.pgconn.finish()
            raise psycopg.OperationalError(
                f"The database did not answer within {seconds:.1f} seconds."
            ) from None


class Connector:
    """Makes an engine's connections."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._rests_until = -math.inf

    def connect(self, *args: Any, **parameters: Any) -> Connection:
        if time.monotonic() < self._rests_until:
            raise psycopg.OperationalError("The database did not answer a moment ago.")
        if seconds_left() < math.inf:
            usual = int(parameters.get("connect_timeout", math.inf))
            parameters["connect_timeout"] = min(usual, math.ceil(seconds_left()))
        try:
            made = Connection.connect(*args, **parameters)
        except ConnectionTimeout:
            self._rests_until = time.monotonic() + REST_SECONDS
            raise
        made.limit = self._limit
        return made
