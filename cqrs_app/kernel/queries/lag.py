"""How far the log is ahead of somebody who follows it without being a projection."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from cqrs_app.kernel.store.tables import events


@dataclass(frozen=True, slots=True)
class Lag:
    """`events` were not looked at yet; `waiting_since` is when the first of them was recorded,
    None where none waits."""

    events: int
    waiting_since: datetime | None


def head_of(connection: Connection) -> int:
    """How many events are committed, those without a position included."""
    placed = select(func.coalesce(func.max(events.c.position), 0)).scalar_subquery()
    unplaced = select(func.count()).where(events.c.position.is_(None)).scalar_subquery()
    return int(connection.execute(select(placed + unplaced)).scalar_one())


def lag_after(connection: Connection, position: int, head: int) -> Lag:
    """The lag of whoever has looked at everything up to `position`."""
    behind = max(head - position, 0)
    if not behind:
        return Lag(0, None)
    placed = select(events.c.recorded_at).where(events.c.position > position)
    unplaced = select(events.c.recorded_at).where(events.c.position.is_(None))
    first = connection.execute(placed.order_by(events.c.position).limit(1)).scalar()
    return Lag(
        behind, first or connection.execute(unplaced.order_by(events.c.id).limit(1)).scalar()
    )
