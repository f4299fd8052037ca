"""Column types that mean the same on SQLite and PostgreSQL."""

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

BigKey = BigInteger().with_variant(Integer(), "sqlite")
"""A counting key: SQLite counts only a column typed exactly INTEGER."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, always aware and in UTC; SQLite stores it without the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    # Whole processors, not the usual methods per value: a batch of events has thousands of these.
    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        return None if dialect.name == "postgresql" else _as_text

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        return _in_utc if dialect.name == "postgresql" else _from_text


def _as_text(value: datetime | None) -> str | None:
    if value is None:
        return None
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def _from_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value).replace(tzinfo=UTC)


def _in_utc(value: datetime | None) -> datetime | None:
    return value if value is None or value.tzinfo is UTC else value.astimezone(UTC)


class Amount(TypeDecorator[Decimal]):
    """Exact money as a count of ten-thousandths: sums are exact on every database."""

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
