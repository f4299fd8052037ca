"""An order's process with its approval, also while fulfilment has not processed that yet."""

from __future__ import annotations

from msgspec.structs import replace
from sqlalchemy import Connection, select

from cqrs_app.areas.fulfilment.process import FulfilmentProcess, Status
from cqrs_app.areas.fulfilment.store import process_of
from cqrs_app.areas.fulfilment.subscription import FulfilmentSubscription
from cqrs_app.areas.fulfilment.types import Stage
from cqrs_app.areas.orders.events import OrderApproved
from cqrs_app.kernel.effects import cursors_in, events

BEGINNING = Status(Stage.RESERVING, "Its fulfilment is about to begin.")


def process_ahead(connection: Connection, order_id: str) -> FulfilmentProcess:
    """What decides whether goods may leave: nobody can be quicker than the subscription."""
    process = process_of(connection, order_id)
    if process.begun or process.given_up or not _approval_is_ahead(connection, order_id):
        return process
    return replace(process, begun=True, status=BEGINNING)


def _approval_is_ahead(connection: Connection, order_id: str) -> bool:
    """Whether the order was approved, not as history, beyond the subscription's cursor."""
    found = select(events.c.position).where(
        events.c.stream == f"order-{order_id}",
        events.c.type == OrderApproved.__name__,
        events.c.occurred_at == events.c.recorded_at,
    )
    positions = connection.execute(found).scalars().all()
    if not positions:
        return False
    name = FulfilmentSubscription.name
    cursor = cursors_in(FulfilmentSubscription.store).read(connection, [name]).get(name)
    reached = cursor.position if cursor else 0
    return any(position is None or position > reached for position in positions)
