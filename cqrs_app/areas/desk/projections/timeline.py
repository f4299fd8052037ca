"""What happened to each order, in the shop's words, with who and when."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import msgspec
from sqlalchemy import Table

from cqrs_app.areas.desk.read_models import order_timeline
from cqrs_app.areas.orders.events import (
    Address,
    BillingAddressChanged,
    OrderAssigned,
    OrderCancelled,
    OrderFlagged,
    OrderHeld,
    OrderNoteAdded,
    OrderPlaced,
    OrderRejected,
    OrderReleased,
    OrderShipped,
    RemainingItemsCancelled,
    ShippingAddressChanged,
    is_of_an_order,
)
from cqrs_app.areas.orders.types import PERSON
from cqrs_app.areas.orders.words import OrderStatus, label_of
from cqrs_app.kernel import ERASED, Event, Projection, Recorded, Rows, SubjectErased, snake
from cqrs_app.kernel.effects import hints_of

_ORDER = "order-"
_CUSTOMER, _ADDRESS = "Customer", "Address"
_PERSONAL = (_CUSTOMER, _ADDRESS)


class OrderTimelineProjection(Projection):
    """One row per event; its detail is a list of (name, text) pairs, empty texts left out."""

    name: ClassVar[str] = "order_timeline"
    version: ClassVar[int] = 4
    tables: ClassVar[tuple[Table, ...]] = (order_timeline,)

    def bind(self, events: Iterable[type[Event]]) -> None:
        """An event of an order without a method stands in its history as its name says."""
        declared = list(events)
        super().bind(declared)
        for event in filter(is_of_an_order, declared):
            self.handlers.setdefault(event.__name__, self._by_name)

    def _by_name(self, event: Any, recorded: Recorded, rows: Rows) -> None:
        words = snake(recorded.stored.type).removeprefix("order_").replace("_", " ")
        texts = [
            (name.replace("_", " ").capitalize(), value)
            for name in hints_of(type(event))
            if name != "order_id" and isinstance(value := getattr(event, name), str)
        ]
        _enter(rows, recorded, event.order_id, words.capitalize(), *texts)

    def order_placed(self, event: OrderPlaced, recorded: Recorded, rows: Rows) -> None:
        units = sum(line.quantity for line in event.lines)
        _enter(
            rows,
            recorded,
            event.order_id,
            "Order placed",
            (_CUSTOMER, event.customer_name or event.customer_id or "Guest"),
            ("Lines", f"{len(event.lines):,}, {units:,} {'unit' if units == 1 else 'units'}"),
            ("Total", f"{event.currency} {event.total:f}"),
            customer_id=event.customer_id,
        )

    def order_assigned(self, event: OrderAssigned, recorded: Recorded, rows: Rows) -> None:
        _enter(
            rows,
            recorded,
            event.order_id,
            "Assigned to customer",
            (_CUSTOMER, event.customer_name or event.customer_id),
            ("Number", event.customer_id),
            ("Before", event.former_customer_id or "Guest"),
            customer_id=event.customer_id,
        )

    def order_rejected(self, event: OrderRejected, recorded: Recorded, rows: Rows) -> None:
        _enter(rows, recorded, event.order_id, "Rejected", ("Reason", event.reason))

    def order_held(self, event: OrderHeld, recorded: Recorded, rows: Rows) -> None:
        reason, note = ("Reason", label_of(event.reason)), ("Note", event.note)
        _enter(rows, recorded, event.order_id, "Put on hold", reason, note)

    def order_released(self, event: OrderReleased, recorded: Recorded, rows: Rows) -> None:
        back = ("Back to", OrderStatus(event.status).label)
        _enter(rows, recorded, event.order_id, "Released", back)

    def shipping_address_changed(
        self, event: ShippingAddressChanged, recorded: Recorded, rows: Rows
    ) -> None:
        self._address_changed(event, recorded, rows, "Shipping address changed")

    def billing_address_changed(
        self, event: BillingAddressChanged, recorded: Recorded, rows: Rows
    ) -> None:
        self._address_changed(event, recorded, rows, "Billing address changed")

    def _address_changed(
        self,
        event: ShippingAddressChanged | BillingAddressChanged,
        recorded: Recorded,
        rows: Rows,
        label: str,
    ) -> None:
        _enter(
            rows,
            recorded,
            event.order_id,
            label,
            (_ADDRESS, _one_line(event.address)),
            customer_id=_customer_of(event.order_id, rows),
        )

    def order_note_added(self, event: OrderNoteAdded, recorded: Recorded, rows: Rows) -> None:
        _enter(rows, recorded, event.order_id, "Note", ("Note", event.note))

    def order_shipped(self, event: OrderShipped, recorded: Recorded, rows: Rows) -> None:
        units = sum(line.quantity for line in event.lines)
        _enter(
            rows,
            recorded,
            event.order_id,
            "Shipped" if event.complete else "Shipped in part",
            ("Units", f"{units:,}"),
            ("Carrier", event.carrier),
            ("Tracking", event.tracking),
        )

    def order_cancelled(self, event: OrderCancelled, recorded: Recorded, rows: Rows) -> None:
        reason, note = ("Reason", label_of(event.reason)), ("Note", event.note)
        _enter(rows, recorded, event.order_id, "Cancelled", reason, note)

    def remaining_items_cancelled(
        self, event: RemainingItemsCancelled, recorded: Recorded, rows: Rows
    ) -> None:
        _enter(
            rows,
            recorded,
            event.order_id,
            "Remaining items cancelled",
            ("Units", f"{sum(line.quantity for line in event.lines):,}"),
            ("Amount", f"{event.currency} {event.amount:f}"),
            ("Reason", label_of(event.reason)),
            ("Note", event.note),
        )

    def order_flagged(self, event: OrderFlagged, recorded: Recorded, rows: Rows) -> None:
        _enter(rows, recorded, event.order_id, "Flagged", ("Why", event.sentence))

    def subject_erased(self, event: SubjectErased, recorded: Recorded, rows: Rows) -> None:
        customer_id = event.subject.removeprefix(PERSON)
        whose = {"customer_id": customer_id}
        if customer_id == event.subject:
            whose = {"customer_id": "", "order_id": event.subject.removeprefix(_ORDER)}
        for row in rows.where(order_timeline, **whose):
            pairs = msgspec.json.decode(row["detail"], type=list[tuple[str, str]])
            row["detail"] = _detail(
                # The number stands where no name was known.
                (name, ERASED if name in _PERSONAL and text != customer_id else text)
                for name, text in pairs
            )


def _enter(
    rows: Rows,
    recorded: Recorded,
    order_id: str,
    label: str,
    *detail: tuple[str, str],
    customer_id: str = "",
) -> None:
    stored = recorded.stored
    rows.put(
        order_timeline,
        order_id=order_id,
        version=stored.version,
        customer_id=customer_id,
        at=stored.occurred_at,
        recorded_at=stored.recorded_at,
        operator=stored.operator,
        type=stored.type,
        label=label,
        detail=_detail(pair for pair in detail if pair[1]),
        command_id=stored.command_id,
        position=stored.position,
    )


def _customer_of(order_id: str, rows: Rows) -> str:
    """Whose the order is: of the customer it was assigned to last, or placed for."""
    assigned = rows.where(order_timeline, order_id=order_id, type=OrderAssigned.__name__)
    last = max(assigned, key=lambda row: row["version"], default=None)
    row = last or rows.get(order_timeline, order_id, 1)
    return row["customer_id"] if row else ""


def _detail(pairs: Iterable[tuple[str, str]]) -> str:
    return msgspec.json.encode(list(pairs)).decode()


def _one_line(address: Address) -> str:
    city = f"{address.postal_code} {address.city}".strip()
    parts = (address.name, address.line1, address.line2, city, address.country)
    if ERASED in parts:
        return ERASED
    return ", ".join(part for part in parts if part)
