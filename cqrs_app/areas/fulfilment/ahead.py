"""An order's process including events that fulfilment has not processed yet: its approval, its
payments, and changes of its lines.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, select

from cqrs_app.areas.fulfilment.codec import CODEC
from cqrs_app.areas.fulfilment.evolve import evolve
from cqrs_app.areas.fulfilment.inputs import PAYMENT_EVENTS, input_of
from cqrs_app.areas.fulfilment.process import FulfilmentProcess, Status
from cqrs_app.areas.fulfilment.store import process_of
from cqrs_app.areas.fulfilment.subscription import FulfilmentSubscription
from cqrs_app.areas.fulfilment.types import Stage
from cqrs_app.areas.orders.events import OrderApproved, OrderLinesChanged
from cqrs_app.kernel import Event, Recorded
from cqrs_app.kernel.effects import StoredEvent, cursors_in, events

BEGINNING = Status(Stage.RESERVING, "Its fulfilment is about to begin.")
CHANGED = Status(Stage.RESERVING, "Its lines have just changed.")
_PAYMENT_TYPES = tuple(each.__name__ for each in PAYMENT_EVENTS)


def process_ahead(connection: Connection, order_id: str) -> FulfilmentProcess:
    """The process as the rules of shipping and paying must see it: nobody can be quicker than the
    subscription. Its status is the stored one, except of an approval that is ahead."""
    # First the cursor: events that are processed meanwhile are then read twice, not never.
    reached = reached_by(connection)
    process = process_of(connection, order_id)
    for recorded in payments_ahead(connection, order_id, reached):
        if recorded.version > process.seen.get(recorded.stream, 0):
            process = evolve(process, input_of(recorded))
    if process.given_up:
        return process
    if process.begun:
        changed = _happened(connection, order_id, OrderLinesChanged, reached)
        return replace(process, status=CHANGED) if changed else process
    if _happened(connection, order_id, OrderApproved, reached):
        return replace(process, begun=True, status=BEGINNING)
    return process


def reached_by(connection: Connection) -> int:
    """The position up to which fulfilment has processed the log."""
    name = FulfilmentSubscription.name
    cursor = cursors_in(FulfilmentSubscription.store).read(connection, [name]).get(name)
    return cursor.position if cursor else 0


def _happened(connection: Connection, order_id: str, event: type[Event], reached: int) -> bool:
    """Whether this happened to the order after the subscription's cursor, and is not imported
    history.
    """
    found = select(events.c.position).where(
        events.c.stream == f"order-{order_id}",
        events.c.type == event.__name__,
        events.c.occurred_at == events.c.recorded_at,
    )
    positions = connection.execute(found).scalars().all()
    return any(position is None or position > reached for position in positions)


def payments_ahead(connection: Connection, order_id: str, reached: int) -> Iterator[Recorded]:
    """Events of the order's payments beyond the cursor, in order, some of them twice. As a rule
    there are few events beyond it at all."""
    # First those without a position: they may get one meanwhile.
    unplaced = _payment_events(connection, order_id, events.c.position.is_(None))
    placed = _payment_events(connection, order_id, events.c.position > reached)
    yield from CODEC.decode_all((*placed, *unplaced))


def _payment_events(
    connection: Connection, order_id: str, beyond: ColumnElement[bool]
) -> list[StoredEvent]:
    # A moved payment also names the order it was moved from.
    found = select(*(events.c[name] for name in StoredEvent.__struct_fields__)).where(
        beyond,
        events.c.type.in_(_PAYMENT_TYPES),
        events.c.occurred_at == events.c.recorded_at,
        events.c.payload.contains(f'order_id":"{order_id}"', autoescape=True),
    )
    return [StoredEvent(*row) for row in connection.execute(found.order_by(events.c.id))]
