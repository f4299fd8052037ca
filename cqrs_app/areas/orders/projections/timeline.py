"""What happened to each order, in the shop's words, with who and when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import msgspec
from sqlalchemy import Table

from cqrs_app.areas.orders.events import (
    Address,
    OrderCancelled,
    OrderFlagged,
    OrderHeld,
    OrderLinesChanged,
    OrderNoteAdded,
    OrderPlaced,
    OrderRejected,
    OrderReleased,
    OrderShipped,
    RemainingItemsCancelled,
    ReturnReceived,
    ReturnRequested,
    ShippingAddressChanged,
    is_of_an_order,
)
from cqrs_app.areas.orders.read_models import order_timeline
from cqrs_app.areas.orders.types import PERSON
from cqrs_app.areas.orders.words import OrderStatus, label_of
from cqrs_app.kernel import ERASED, Event, Projection, Recorded, Rows, SubjectErased, snake
from cqrs_app.kernel.effects import hints_of

_LONGEST = 2_000
_CUSTOMER, _ADDRESS = "Customer", "Address"
_PERSONAL = (_CUSTOMER, _ADDRESS)


class OrderTimelineProjection(Projection):
    """One row per event; its detail is a list of (name, text) pairs, empty texts left out."""

    name: ClassVar[str] = "order_timeline"
    version: ClassVar[int] = 3
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
        placed = rows.get(order_timeline, event.order_id, 1)
        _enter(
            rows,
            recorded,
            event.order_id,
            "Shipping address changed",
            (_ADDRESS, _one_line(event.address)),
            customer_id=placed["customer_id"] if placed else "",
        )

    def order_lines_changed(self, event: OrderLinesChanged, recorded: Recorded, rows: Rows) -> None:
        _enter(
            rows,
            recorded,
            event.order_id,
            "Lines changed",
            ("Changed", "; ".join(_changes(event))[:_LONGEST]),
            ("Added", "; ".join(_added(event))[:_LONGEST]),
            ("Total", f"{event.currency} {event.total - event.difference:f} → {event.total:f}"),
        )

    def return_requested(self, event: ReturnRequested, recorded: Recorded, rows: Rows) -> None:
        units = sum(line.quantity for line in event.lines)
        _enter(
            rows,
            recorded,
            event.order_id,
            "Return requested",
            ("Return", event.return_id),
            ("Units", f"{units:,}"),
            ("Reason", label_of(event.reason)),
            ("Note", event.note),
        )

    def return_received(self, event: ReturnReceived, recorded: Recorded, rows: Rows) -> None:
        restocked = sum(line.restocked for line in event.lines)
        written_off = sum(line.written_off for line in event.lines)
        _enter(
            rows,
            recorded,
            event.order_id,
            "Return received",
            ("Return", event.return_id),
            ("Restocked", f"{restocked:,}" if restocked else ""),
            ("Written off", f"{written_off:,}" if written_off else ""),
            ("Amount", f"{event.currency} {event.amount:f}"),
            ("Note", event.note),
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
        for row in rows.where(order_timeline, customer_id=customer_id):
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


def _changes(event: OrderLinesChanged) -> Iterator[str]:
    for was, now in zip(event.before, event.lines, strict=True):
        if not now.quantity:
            yield f"line {now.line_no} removed"
            continue
        if now.quantity != was.quantity:
            yield f"line {now.line_no}: {was.quantity:,} → {now.quantity:,}"
        if now.unit_price != was.unit_price:
            yield f"line {now.line_no}: {was.unit_price:f} → {now.unit_price:f} each"


def _added(event: OrderLinesChanged) -> Iterator[str]:
    for line in event.added:
        yield f"{line.quantity:,} of {line.sku} at {line.unit_price:f}"


def _detail(pairs: Iterable[tuple[str, str]]) -> str:
    return msgspec.json.encode(list(pairs)).decode()


def _one_line(address: Address) -> str:
    city = f"{address.postal_code} {address.city}".strip()
    parts = (address.name, address.line1, address.line2, city, address.country)
    if ERASED in parts:
        return ERASED
    return ", ".join(part for part in parts if part)
