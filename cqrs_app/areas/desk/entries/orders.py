"""What happened to an order, and which of its facts changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from cqrs_app.areas.desk.entries.entry import Entry, amount, units
from cqrs_app.areas.desk.words import EntryKind
from cqrs_app.areas.orders.amounts import sums_of
from cqrs_app.areas.orders.events import (
    Address,
    AttachmentRemoved,
    BillingAddressChanged,
    FileAttached,
    OrderApproved,
    OrderAssigned,
    OrderCancelled,
    OrderDelivered,
    OrderFlagged,
    OrderHeld,
    OrderLinesChanged,
    OrderNoteAdded,
    OrderPlaced,
    OrderRejected,
    OrderReleased,
    OrderShipped,
    RemainingItemsCancelled,
    ReturnCancelled,
    ReturnReceived,
    ReturnRequested,
    ShippingAddressChanged,
)
from cqrs_app.areas.orders.words import AdjustmentKind, OrderStatus, advance_status, label_of
from cqrs_app.kernel import ERASED, Event
from cqrs_app.standards.money import exact

Facts = dict[str, str]
"""The facts of an order that the timeline follows, so that it can show old and new value."""

ADDRESS, BILLING_ADDRESS = "Address", "Billing address"
_ORDER, _SHIPPING = EntryKind.ORDER, EntryKind.SHIPPING
_LONGEST = 2_000
_ENTERED = MappingProxyType(
    {
        OrderApproved: OrderStatus.APPROVED,
        OrderHeld: OrderStatus.ON_HOLD,
        OrderRejected: OrderStatus.REJECTED,
        OrderDelivered: OrderStatus.DELIVERED,
        OrderShipped: OrderStatus.SHIPPED,
        RemainingItemsCancelled: OrderStatus.SHIPPED,
        OrderCancelled: OrderStatus.CANCELLED,
    }
)


def _placed(event: OrderPlaced) -> Entry:
    count = sum(line.quantity for line in event.lines)
    detail = [("Lines", f"{len(event.lines):,}, {units(count)}")]
    detail.append(("Total", amount(event.total, event.currency)))
    if not event.customer_name:
        detail.insert(0, ("Customer", event.customer_id or "Guest"))
    detail.append(("Exchange for", event.exchange_for))
    personal = {
        "Customer": event.customer_name,
        ADDRESS: _one_line(event.shipping_address),
        BILLING_ADDRESS: _one_line(event.billing_address),
    }
    return Entry(_ORDER, "Order placed", tuple(detail), personal)


def exchange_placed(event: OrderPlaced) -> Entry:
    """For the order whose returned items the new one replaces."""
    detail = (
        ("Exchange order", event.order_id),
        ("Total", amount(event.total, event.currency)),
    )
    return Entry(_ORDER, "Exchange order placed", detail)


def _assigned(event: OrderAssigned) -> Entry:
    personal = {"Name": event.customer_name}
    return Entry(_ORDER, "Assigned to customer", (("Customer", event.customer_id),), personal)


def _attached(event: FileAttached) -> Entry:
    detail = (("Attachment", f"{event.number}"),)
    return Entry(_ORDER, "File attached", detail, {"File": event.name})


def _attachment_removed(event: AttachmentRemoved) -> Entry:
    detail = (("Attachment", f"{event.number}"), ("Reason", event.reason))
    return Entry(_ORDER, "Attachment removed", detail)


def _shipped(event: OrderShipped) -> Entry:
    count = sum(line.quantity for line in event.lines)
    detail = (("Units", f"{count:,}"), ("Carrier", event.carrier), ("Tracking", event.tracking))
    return Entry(_SHIPPING, "Shipped" if event.complete else "Shipped in part", detail)


def _rest_cancelled(event: RemainingItemsCancelled) -> Entry:
    return Entry(
        _ORDER,
        "Remaining items cancelled",
        (
            ("Units", f"{sum(line.quantity for line in event.lines):,}"),
            ("Amount", amount(event.amount, event.currency)),
            *_why(event),
        ),
    )


def _lines_changed(event: OrderLinesChanged) -> Entry:
    changed = "; ".join((*_changes(event), *_adjusted(event)))
    added = "; ".join(_added(event))
    detail = (("Changed", changed[:_LONGEST]), ("Added", added[:_LONGEST]))
    lines = event.lines or event.added
    return Entry(_ORDER, "Lines changed" if lines else "Discounts and charges changed", detail)


def _adjusted(event: OrderLinesChanged) -> Iterator[str]:
    """What each kind of discount or charge came to, and comes to now."""
    if event.adjustments is None:
        return
    before, now = sums_of((), event.adjustments_before), sums_of((), event.adjustments)
    for kind in AdjustmentKind:
        was, new = (exact(each[kind], event.currency) for each in (before, now))
        if new != was:
            yield f"{kind.label.lower()} {was:f} → {new:f}"
    if now == before:
        yield "labels of discounts and charges"


def _changes(event: OrderLinesChanged) -> Iterator[str]:
    for was, now in zip(event.before, event.lines, strict=True):
        if not now.quantity:
            yield f"line {now.line_no} removed"
            continue
        if now.quantity != was.quantity:
            yield f"line {now.line_no}: {was.quantity:,} → {now.quantity:,}"
        if now.unit_price != was.unit_price:
            yield f"line {now.line_no}: {was.unit_price:f} → {now.unit_price:f} each"
        if now.discount != was.discount:
            yield f"line {now.line_no}: discount {was.discount:f} → {now.discount:f}"


def _added(event: OrderLinesChanged) -> Iterator[str]:
    for line in event.added:
        yield f"{line.quantity:,} of {line.sku} at {line.unit_price:f}"


def _return_requested(event: ReturnRequested) -> Entry:
    count = sum(line.quantity for line in event.lines)
    detail = (("Return", event.return_id), ("Units", f"{count:,}"), *_why(event))
    return Entry(_SHIPPING, "Return requested", detail)


def _return_received(event: ReturnReceived) -> Entry:
    restocked = sum(line.restocked for line in event.lines)
    written_off = sum(line.written_off for line in event.lines)
    detail = (
        ("Return", event.return_id),
        ("Restocked", f"{restocked:,}" if restocked else ""),
        ("Written off", f"{written_off:,}" if written_off else ""),
        ("Amount", amount(event.amount, event.currency)),
        ("Note", event.note),
    )
    return Entry(_SHIPPING, "Return received", detail)


def _return_cancelled(event: ReturnCancelled) -> Entry:
    detail = (("Return", event.return_id), ("Note", event.note))
    return Entry(_SHIPPING, "Return cancelled", detail)


def _why(event: Any) -> tuple[tuple[str, str], ...]:
    return ("Reason", label_of(event.reason)), ("Note", event.note)


ENTRIES: Mapping[type[Event], Callable[[Any], Entry]] = MappingProxyType(
    {
        OrderPlaced: _placed,
        OrderApproved: lambda event: Entry(_ORDER, "Approved"),
        OrderRejected: lambda event: Entry(_ORDER, "Rejected", (("Reason", event.reason),)),
        OrderHeld: lambda event: Entry(
            _ORDER, "Put on hold", (("Hold reason", label_of(event.reason)), ("Note", event.note))
        ),
        OrderReleased: lambda event: Entry(_ORDER, "Released"),
        OrderAssigned: _assigned,
        ShippingAddressChanged: lambda event: Entry(
            _ORDER, "Shipping address changed", personal={ADDRESS: _one_line(event.address)}
        ),
        BillingAddressChanged: lambda event: Entry(
            _ORDER, "Billing address changed", personal={BILLING_ADDRESS: _one_line(event.address)}
        ),
        FileAttached: _attached,
        AttachmentRemoved: _attachment_removed,
        OrderNoteAdded: lambda event: Entry(EntryKind.NOTE, "Note", (("Note", event.note),)),
        OrderShipped: _shipped,
        OrderLinesChanged: _lines_changed,
        ReturnRequested: _return_requested,
        ReturnReceived: _return_received,
        ReturnCancelled: _return_cancelled,
        OrderDelivered: lambda event: Entry(_SHIPPING, "Delivered"),
        OrderCancelled: lambda event: Entry(_ORDER, "Cancelled", _why(event)),
        RemainingItemsCancelled: _rest_cancelled,
        OrderFlagged: lambda event: Entry(_ORDER, "Flagged", (("Reason", event.sentence),)),
    }
)

FOLLOWED: Mapping[str, tuple[str, Callable[[Facts], str]]] = MappingProxyType(
    {
        "status": ("Status", lambda facts: OrderStatus(facts["status"]).label),
        "hold_reason": ("Hold reason", lambda facts: label_of(facts["hold_reason"])),
        "customer_id": ("Customer", lambda facts: facts["customer_id"] or "Guest"),
        "total": ("Total", lambda facts: f"{facts['currency']} {facts['total']}"),
    }
)
"""Fact -> its label and its text."""


def facts_after(facts: Facts, event: Event) -> Facts:
    """The facts after an event. None are known if the event that placed the order was skipped."""
    if isinstance(event, OrderPlaced):
        return {
            "customer_id": event.customer_id,
            "currency": event.currency,
            "total": f"{event.total:f}",
            "status": str(OrderStatus.PLACED),
            "hold_reason": "",
        }
    if not facts:
        return facts
    status = _status_after(OrderStatus(facts["status"]), event)
    facts = facts | {"status": str(status)}
    if status is not OrderStatus.ON_HOLD:
        facts["hold_reason"] = ""
    elif isinstance(event, OrderHeld):
        facts["hold_reason"] = event.reason
    if isinstance(event, OrderLinesChanged):
        facts["total"] = f"{event.total:f}"
    if isinstance(event, OrderAssigned):
        facts["customer_id"] = event.customer_id
    if isinstance(event, RemainingItemsCancelled):
        facts["total"] = f"{Decimal(facts['total']) - event.amount:f}"
    return facts


def _status_after(now: OrderStatus, event: Event) -> OrderStatus:
    match event:
        case OrderReleased():
            return OrderStatus(event.status)
        case OrderShipped() if not event.complete:
            return advance_status(now, OrderStatus.PART_SHIPPED)
        case _:
            entered = _ENTERED.get(type(event))
            return advance_status(now, entered) if entered else now


def _one_line(address: Address) -> str:
    city = f"{address.postal_code} {address.city}".strip()
    parts = (address.name, address.line1, address.line2, city, address.country)
    if ERASED in parts:
        return ERASED
    return ", ".join(part for part in parts if part)
