"""Decodes fulfilment's own events, current and retired."""

from __future__ import annotations

from cqrs_app.areas.fulfilment import events, retired_events
from cqrs_app.areas.fulfilment.inputs import PAYMENT_EVENTS
from cqrs_app.areas.orders import events as orders
from cqrs_app.kernel.effects import EventCodec, events_in

EVENT_TYPES = (*events_in(events), *events_in(retired_events))

CODEC = EventCodec(
    (*EVENT_TYPES, orders.OrderPlaced, orders.OrderLinesChanged, *PAYMENT_EVENTS),
    {**events.UPCASTERS, **orders.UPCASTERS},
)
"""Personal values of the order stay sealed."""
