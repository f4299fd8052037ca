"""The canonical document: an order or credit note as it is exported and imported.

A document is plain values: the fields of the command that created it, `document`, `at` and, for an
order, its `moments`. Each has `what` happened, `at` which time, and the fields of its command.
Reading is the inverse of writing: what was exported is imported as the same events at the same
times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, cast

import msgspec

from cqrs_app.areas.orders import commands, events
from cqrs_app.kernel.events.recorded import EventCodec, Recorded, UnreadableEvent
from cqrs_app.kernel.messages.fields import hints_of
from cqrs_app.kernel.messages.messages import Command, Event, parse
from cqrs_app.kernel.store import EventStore
from cqrs_app.platform.transfer.imports.clock import moment
from cqrs_app.platform.transfer.imports.documents import Document, Kind, Step
from cqrs_app.platform.transfer.imports.source import SourceRow

Plain = dict[str, Any]

_PAGE = 500

MAKING: Mapping[Kind, tuple[type[Event], type[Command], str]] = MappingProxyType(
    {
        "order": (events.OrderPlaced, commands.PlaceOrder, "order_id"),
        "credit_note": (events.CreditNoteRecorded, commands.RecordCreditNote, "credit_note_id"),
    }
)
"""Kind of document -> what creates it: the event, the command, and the field with its number."""

MOMENTS: Mapping[str, tuple[type[Event], type[Command]]] = MappingProxyType(
    {
        "held": (events.OrderHeld, commands.HoldOrder),
        "released": (events.OrderReleased, commands.ReleaseOrder),
        "approved": (events.OrderApproved, commands.ApproveOrder),
        "address_changed": (events.ShippingAddressChanged, commands.ChangeShippingAddress),
        "lines_changed": (events.OrderLinesChanged, commands.ChangeOrderLines),
        "assigned": (events.OrderAssigned, commands.AssignOrderToCustomer),
        "tag_added": (events.OrderTagAdded, commands.AddOrderTag),
        "tag_removed": (events.OrderTagRemoved, commands.RemoveOrderTag),
        "billing_address_changed": (
            events.BillingAddressChanged,
            commands.ChangeBillingAddress,
        ),
        "note": (events.OrderNoteAdded, commands.AddOrderNote),
        "shipped": (events.OrderShipped, commands.ShipOrder),
        "remaining_cancelled": (
            events.RemainingItemsCancelled,
            commands.CancelRemainingItems,
        ),
        "delivered": (events.OrderDelivered, commands.DeliverOrder),
        "return_requested": (events.ReturnRequested, commands.RequestReturn),
        "return_received": (events.ReturnReceived, commands.ReceiveReturn),
        "return_cancelled": (events.ReturnCancelled, commands.CancelReturn),
        "rejected": (events.OrderRejected, commands.RejectOrder),
        "cancelled": (events.OrderCancelled, commands.CancelOrder),
    }
)
"""What can happen to an order, in the order of a regular life: the event that records it and the
command that repeats it. Flags are no moments, since the rules produce them again."""

COMMANDS = tuple(
    [command for _, command, _ in MAKING.values()] + [command for _, command in MOMENTS.values()]
)

_WHAT = {event: what for what, (event, _) in MOMENTS.items()}
_KIND = {event: kind for kind, (event, _, _) in MAKING.items()}


class Unusable(ValueError):
    """The plain values are no canonical document."""


def exported(
    store: EventStore, codec: EventCodec, left_out: Callable[[UnreadableEvent], None] | None = None
) -> Iterator[Plain]:
    """Every order and credit note, in the order in which they were created. Memory use does not
    grow with their number. `left_out` is called with the error of one that cannot be read; without
    it, the error is raised."""
    names = {event.__name__ for event in _KIND}
    store.place()
    position = 0
    while page := store.follow(position, _PAGE):
        for first in page:
            if first.version == 1 and first.type in names:
                try:
                    recorded = [codec.decode(each) for each in store.events_of(first.stream)]
                except UnreadableEvent as error:
                    if left_out is None:
                        raise
                    left_out(error)
                else:
                    yield plain_of(recorded)
        position = page[-1].position or 0


def plain_of(recorded: Sequence[Recorded]) -> Plain:
    """All events of one stream, as a document."""
    made, *later = recorded
    kind = _KIND[type(made.event)]
    plain: Plain = {"document": kind, "at": made.occurred_at}
    plain |= _fields(made.event, MAKING[kind][1])
    if kind == "order":
        plain["moments"] = [
            {"what": _WHAT[type(each.event)], "at": each.occurred_at}
            | _fields(each.event, MOMENTS[_WHAT[type(each.event)]][1], leave_out="order_id")
            for each in later
            if type(each.event) in _WHAT
        ]
    return cast(Plain, msgspec.to_builtins(plain))


def kind_of(name: object) -> Kind:
    """The kind of this name. Raises Unusable if there is none."""
    for kind in MAKING:
        if kind == name:
            return kind
    raise Unusable(f"{name!r} is no kind of document")


def number_field(kind: Kind) -> str:
    """The field that holds the document's number."""
    return MAKING[kind][2]


def document_of(plain: Mapping[str, Any], rows: tuple[SourceRow, ...]) -> Document:
    """The inverse. Raises Unusable, or Invalid with a sentence per field."""
    rest = dict(plain)
    kind, at, moments = kind_of(rest.pop("document", "")), rest.pop("at", ""), []
    if kind == "order":
        moments = rest.pop("moments", [])
    if not isinstance(moments, list):
        raise Unusable("moments is a list")
    made = Step(moment(_text(at)), parse(MAKING[kind][1], rest))
    key: str = getattr(made.command, number_field(kind))
    later = (_step(key, index, each) for index, each in enumerate(moments, start=1))
    return Document(kind, key, (made, *later), rows)


def _step(order_id: str, index: int, plain: Any) -> Step:
    if not isinstance(plain, Mapping):
        raise Unusable("a moment is an object")
    rest = dict(plain)
    what, at = rest.pop("what", ""), rest.pop("at", "")
    if not isinstance(what, str) or what not in MOMENTS:
        raise Unusable(f"{what!r} is no moment of an order")
    command = parse(MOMENTS[what][1], rest | {"order_id": order_id})
    return Step(moment(_text(at)), command, f"{index}-{what}")


def _fields(event: Event, command: type[Command], leave_out: str = "") -> Plain:
    """The fields that event and command have in common."""
    return {name: getattr(event, name) for name in hints_of(command) if name != leave_out}


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Unusable(f"{value!r} is no time")
    return value
