"""The canonical document: an order or credit note as it is exported and imported.

A document is plain values: the fields of the command that created it, `document`, `at` and, for an
order, its `moments`. Each has `what` happened, `at` which time, and the fields of its command. An
order has its `payments` beside them. Reading is the inverse of writing: what was exported is
imported as the same events at the same times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import accumulate
from operator import itemgetter
from types import MappingProxyType
from typing import Any, cast

import msgspec

from cqrs_app.areas.orders import commands, events
from cqrs_app.kernel.events.recorded import EventCodec, Recorded, UnreadableEvent
from cqrs_app.kernel.messages.messages import Command, Event, parse
from cqrs_app.kernel.store import EventStore
from cqrs_app.platform.transfer.imports import canonical_payments
from cqrs_app.platform.transfer.imports.canonical_payments import Payments, payment_steps
from cqrs_app.platform.transfer.imports.canonical_plain import (
    Moments,
    Plain,
    Unusable,
    moment_of,
    objects,
    shared_fields,
    step_of,
    time_of,
)
from cqrs_app.platform.transfer.imports.documents import Document, Kind, Step
from cqrs_app.platform.transfer.imports.source import SourceRow

_PAGE = 500

MAKING: Mapping[Kind, tuple[type[Event], type[Command], str]] = MappingProxyType(
    {
        "order": (events.OrderPlaced, commands.PlaceOrder, "order_id"),
        "credit_note": (events.CreditNoteRecorded, commands.RecordCreditNote, "credit_note_id"),
    }
)
"""Kind of document -> what creates it: the event, the command, and the field with its number."""

MOMENTS: Moments = MappingProxyType(
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

COMMANDS: tuple[type[Command], ...] = (
    *(command for _, command, _ in MAKING.values()),
    *(command for _, command in MOMENTS.values()),
    *canonical_payments.COMMANDS,
)

_WHAT = {event: what for what, (event, _) in MOMENTS.items()}
_KIND = {event: kind for kind, (event, _, _) in MAKING.items()}


def exported(
    store: EventStore, codec: EventCodec, left_out: Callable[[UnreadableEvent], None] | None = None
) -> Iterator[Plain]:
    """Every order, with its payments, and credit note, in the order in which they were created.
    Memory use does not grow with their number. `left_out` is called with the error of one that
    cannot be read; without it, the error is raised."""
    names = {event.__name__ for event in _KIND}
    leave_out = left_out or _raise
    payments = Payments(store, codec, leave_out)
    store.place()
    position = 0
    while page := store.follow(position, _PAGE):
        for first in page:
            if first.version == 1 and first.type in names:
                try:
                    recorded = [codec.decode(each) for each in store.events_of(first.stream)]
                except UnreadableEvent as error:
                    leave_out(error)
                else:
                    yield plain_of(recorded, payments.of)
        position = page[-1].position or 0


def _raise(error: UnreadableEvent) -> None:
    raise error


def plain_of(recorded: Sequence[Recorded], payments_of: Callable[[str], list[Plain]]) -> Plain:
    """All events of one stream, as a document. `payments_of` an order are plain values."""
    made, *later = recorded
    kind = _KIND[type(made.event)]
    plain: Plain = {"document": kind, "at": made.occurred_at}
    plain |= shared_fields(made.event, MAKING[kind][1])
    if kind == "order":
        plain["moments"] = [
            moment_of(each, _WHAT[type(each.event)], MOMENTS, "order_id")
            for each in later
            if type(each.event) in _WHAT
        ]
        plain["payments"] = payments_of(plain["order_id"])
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
    kind, at = kind_of(rest.pop("document", "")), rest.pop("at", "")
    moments, payments = [], []
    if kind == "order":
        moments, payments = rest.pop("moments", []), rest.pop("payments", [])
    made = Step(time_of(at), parse(MAKING[kind][1], rest))
    key: str = getattr(made.command, number_field(kind))
    life = [
        step_of(each, MOMENTS, str(index), order_id=key)
        for index, each in enumerate(objects(moments, "moment"), start=1)
    ]
    timed = [*_timed(life), *_timed(list(payment_steps(key, payments)))]
    later = (step for _, step in sorted(timed, key=itemgetter(0)))
    return Document(kind, key, (made, *later), rows)


def _timed(steps: Sequence[Step]) -> Iterator[tuple[datetime, Step]]:
    """Each with the latest time until then, so that sorting by it keeps them in order."""
    return zip(accumulate((step.at for step in steps), max), steps, strict=True)
