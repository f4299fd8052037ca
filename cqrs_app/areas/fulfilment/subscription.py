"""What fulfilment does with a batch of the log, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, cast

from msgspec.structs import replace
from sqlalchemy import Connection

from cqrs_app.areas.fulfilment.codec import CODEC
from cqrs_app.areas.fulfilment.events import FulfilmentMoved
from cqrs_app.areas.fulfilment.inputs import (
    ARRIVALS,
    DECISIONS,
    ORDER_EVENTS,
    PAYMENT_EVENTS,
    Approved,
    Input,
    Placed,
    Returned,
    StockArrived,
    input_of,
)
from cqrs_app.areas.fulfilment.ordered import order_until, restocked
from cqrs_app.areas.fulfilment.retired_events import FulfilmentTaskSent
from cqrs_app.areas.fulfilment.store import FulfilmentStore
from cqrs_app.areas.fulfilment.types import Policy
from cqrs_app.areas.fulfilment.update import ProcessUpdate
from cqrs_app.areas.inventory.events import StockReservationChanged
from cqrs_app.areas.orders.events import OrderApproved, OrderPlaced, ReturnReceived
from cqrs_app.areas.payments.events import PaymentMoved
from cqrs_app.kernel import Event, Recorded, Subscription
from cqrs_app.kernel.effects import (
    EventStore,
    Overtaken,
    StoredEvent,
    VersionConflict,
    event_store,
)

OF_LINES = (OrderApproved, ReturnReceived)
"""Events that need the order's lines."""


class FulfilmentSubscription(Subscription):
    """`enabled=False`: the log is passed over and no process begins. `policy` applies to orders
    that begin from now on.
    """

    name: ClassVar[str] = "fulfilment_process"
    # Decisions, and commands sent before there was an outbox, are folded in when the process of
    # their order is loaded.
    events: ClassVar[tuple[type[Event], ...]] = (
        OrderPlaced,
        OrderApproved,
        ReturnReceived,
        FulfilmentTaskSent,
        *ORDER_EVENTS,
        *PAYMENT_EVENTS,
        *ARRIVALS,
        *DECISIONS,
    )
    appends: ClassVar[tuple[type[Event], ...]] = (FulfilmentMoved,)

    def __init__(
        self,
        policy: Policy,
        *,
        enabled: bool,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._clock = clock
        self._policy = policy
        self._enabled = enabled

    def take(self, batch: Sequence[Recorded], connection: Connection) -> None:
        """Raises Overtaken if a person's decision was written meanwhile."""
        # Imported history happened elsewhere: nothing is left to do.
        live = [each for each in batch if not each.is_history]
        if not (self._enabled and live):
            return
        events = event_store(connection.engine)
        store = FulfilmentStore(connection, events, self._clock())
        waiting = store.wanting({_sku_of(each) for each in live if type(each.event) in ARRIVALS})
        concerned = [(each, _orders_of(each, waiting)) for each in live]
        updates = store.load(order_id for _, order_ids in concerned for order_id in order_ids)
        placed = _placed(events, _unknown_orders(concerned, updates))
        histories = _histories(events, live)
        for recorded, order_ids in concerned:
            item = self._input_of(recorded, placed, histories.get(recorded.stream, ()))
            for order_id in order_ids:
                if type(recorded.event) in PAYMENT_EVENTS:
                    _learn_whether_placed(updates[order_id], placed)
                if item is not None:
                    updates[order_id].take_once(item, recorded)
        try:
            store.save(updates.values())
        except VersionConflict as conflict:
            raise Overtaken(self.name) from conflict

    def _input_of(
        self,
        recorded: Recorded,
        placed: Mapping[str, OrderPlaced],
        history: Sequence[StoredEvent],
    ) -> Input | None:
        """None for events that are folded in with the process."""
        event = recorded.event
        if isinstance(event, OrderApproved):
            order = order_until(recorded, placed[recorded.stream], history)
            return Approved(
                currency=order.currency,
                total=order.total,
                lines=order.lines,
                policy=self._policy,
            )
        if isinstance(event, ReturnReceived):
            order = order_until(recorded, placed[recorded.stream], history)
            return Returned(restocked(event, order.lines))
        if isinstance(event, OrderPlaced):
            return Placed()
        if type(event) in ARRIVALS:
            return StockArrived(_sku_of(recorded))
        if type(event) in ORDER_EVENTS | PAYMENT_EVENTS:
            return input_of(recorded)
        return None


def _histories(
    events: EventStore, batch: Iterable[Recorded]
) -> Mapping[str, Sequence[StoredEvent]]:
    """The events of the orders whose lines are needed as of an event, by stream. Nothing can have
    changed before an order's second event.
    """
    streams = {each.stream for each in batch if type(each.event) in OF_LINES and each.version > 2}
    return events.events_of_each(streams) if streams else {}


def _placed(events: EventStore, streams: Collection[str]) -> dict[str, OrderPlaced]:
    """The events that placed these orders, by stream."""
    found = CODEC.decode_all(events.first_of(streams) if streams else ())
    return {each.stream: cast(OrderPlaced, each.event) for each in found}


def _sku_of(arrival: Recorded) -> str:
    event: Any = arrival.event
    sku: str = event.sku
    return sku


def _orders_of(recorded: Recorded, waiting: Mapping[str, list[str]]) -> list[str]:
    event: Any = recorded.event
    if isinstance(event, StockReservationChanged) and event.quantity > event.before:
        return []
    if type(event) in ARRIVALS:
        return waiting.get(event.sku, [])
    if isinstance(event, PaymentMoved):
        return [event.from_order_id, event.order_id]
    return [event.order_id]


def _unknown_orders(
    concerned: Iterable[tuple[Recorded, list[str]]], updates: Mapping[str, ProcessUpdate]
) -> set[str]:
    """The streams of the orders whose OrderPlaced has to be read: for their lines, or to know
    whether they exist.
    """
    return {
        f"order-{order_id}"
        for recorded, order_ids in concerned
        for order_id in order_ids
        if type(recorded.event) in OF_LINES
        or (type(recorded.event) in PAYMENT_EVENTS and not updates[order_id].process.placed)
    }


def _learn_whether_placed(update: ProcessUpdate, placed: Mapping[str, OrderPlaced]) -> None:
    if not update.process.placed and f"order-{update.order_id}" in placed:
        update.process = replace(update.process, placed=True)
