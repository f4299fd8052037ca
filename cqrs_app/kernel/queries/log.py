"""The query log: a sample of the questions asked, and all that met an error. It is bounded."""

from __future__ import annotations

import random
import threading
from dataclasses import MISSING, fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any

import msgspec
from sqlalchemy import Engine, delete, func, insert, select

from cqrs_app.kernel.clock import Clock
from cqrs_app.kernel.messages.messages import Query
from cqrs_app.kernel.store.tables import query_log
from cqrs_app.kernel.subscriptions.background import Background

MOST_ROWS = 5_000
"""How many questions are kept, the latest."""

MOST_PENDING = 200
"""How many are written at once. What exceeds this is left out."""

PAUSE_SECONDS = 2.0

MOST_ITEMS = 5
"""Of a list; the rest is left out."""

HIDDEN = "…"


class QueryLog:
    """One per process. `share` of the questions are noted, 0 to 1, and those with an error unless
    it is 0."""

    def __init__(self, engine: Engine, share: float, clock: Clock) -> None:
        self._engine = engine
        self._share = share
        self._clock = clock
        self._lock = threading.Lock()
        self._pending: list[dict[str, Any]] = []
        self._background = Background("query log", self._write, PAUSE_SECONDS)

    def note(self, query: Query, actor: str, result: str, ms: float, code: str) -> None:
        """Note one question, or not; returns at once."""
        if not self._share or not (code or random.random() < self._share):  # noqa: S311 - a sample
            return
        row = {
            "asked_at": self._clock(),
            "query": type(query).__name__,
            "parameters": masked(query),
            "actor": actor[:100],
            "result": result,
            "code": code[:60],
            "ms": ms,
        }
        with self._lock:
            if len(self._pending) >= MOST_PENDING:
                return
            self._pending.append(row)
        self._background.nudge()

    def flush(self) -> None:
        """Write everything now."""
        self._background.run_now()

    def close(self) -> None:
        self._background.close()

    def _write(self) -> None:
        with self._lock:
            rows, self._pending = self._pending, []
        if not rows:
            return
        with self._engine.begin() as connection:
            connection.execute(insert(query_log), rows)
            last = connection.execute(select(func.max(query_log.c.id))).scalar_one()
            connection.execute(delete(query_log).where(query_log.c.id <= last - MOST_ROWS))


def masked(query: Query) -> str:
    """The fields that were given, as JSON. Texts are hidden: any may be about a person."""
    return msgspec.json.encode(_given(query)).decode()


def _given(value: Any) -> dict[str, Any]:
    """The fields of a dataclass that differ from their defaults."""
    return {
        field.name: _shown(getattr(value, field.name))
        for field in fields(value)
        if field.default is MISSING or getattr(value, field.name) != field.default
    }


def _shown(value: Any) -> Any:
    """What cannot be about a person, as it is."""
    if isinstance(value, tuple | list):
        return [*map(_shown, value[:MOST_ITEMS]), *([HIDDEN] if len(value) > MOST_ITEMS else [])]
    if is_dataclass(value):
        return _given(value)
    if isinstance(value, Decimal | date):
        return str(value)
    return value if isinstance(value, Enum | bool | int | float | None) else HIDDEN
