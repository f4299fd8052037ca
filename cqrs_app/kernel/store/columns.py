"""Column types that behave the same on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, DateTime, Integer
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

MONEY_PLACES = 4
_UNIT = Decimal(10) ** MONEY_PLACES
_WITHOUT_ZONE = len("2026-01-31 12:00:00.000000")

BigKey = BigInteger().with_variant(Integer(), "sqlite")
"""An auto-incremented key: SQLite increments only a column typed exactly INTEGER."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC. SQLite stores it without the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    # Processors instead of the usual methods, for speed: a batch of events has thousands of these
    # values.
    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        return _in_utc if dialect.name == "postgresql" else as_text

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        return _in_utc if dialect.name == "postgresql" else _from_text


def as_text(value: datetime | None) -> str | None:
    """As SQLite stores it."""
    # Cutting the zone off the text, and adding it, takes a fraction of `replace(tzinfo=…)`.
    moment = _in_utc(value)
    return None if moment is None else moment.isoformat(" ", "microseconds")[:_WITHOUT_ZONE]


def _from_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(f"{value}+00:00")


def _in_utc(value: datetime | None) -> datetime | None:
    return value if value is None or value.tzinfo is UTC else value.astimezone(UTC)


class Amount(TypeDecorator[Decimal]):
    """An exact amount of money, stored as a count of ten-thousandths so that sums are exact on
    every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        scaled = value * _UNIT
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{value} has more than {MONEY_PLACES} decimals")
        return int(scaled)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(int(value)).scaleb(-MONEY_PLACES)
