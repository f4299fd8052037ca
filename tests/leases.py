"""Expires leases, which depend on the database's clock that tests cannot move."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Column, Engine, update

SECOND = timedelta(seconds=1)


def end_leases(engine: Engine, until: Column[Any]) -> None:
    """Make all leases in this column expire a second ago."""
    ended = (
        update(until.table).where(until.is_not(None)).values({until: datetime.now(UTC) - SECOND})
    )
    with engine.begin() as connection:
        connection.execute(ended)
