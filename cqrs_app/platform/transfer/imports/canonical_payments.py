"""The payments of an order in its canonical document: money that the shop received, and what became
of it.

What a gateway captured is a payment that was recorded: another console has no keys of that gateway,
and nothing is asked of one for the past. An authorisation of which nothing was captured is left
out: it is no money.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from types import MappingProxyType
from typing import Any

import msgspec

from cqrs_app.areas.payments import events
from cqrs_app.areas.payments.commands import RecordPayment, RefundPayment
from cqrs_app.areas.payments.gateway_commands import (
    RecordDecline,
    RecordDispute,
    RecordRefund,
    ResolveDispute,
)
from cqrs_app.areas.payments.payment import Payment
from cqrs_app.areas.payments.words import Asked
from cqrs_app.kernel.events.recorded import EventCodec, Recorded, UnreadableEvent
from cqrs_app.kernel.messages.messages import Command, parse
from cqrs_app.kernel.store import EventStore
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
from cqrs_app.platform.transfer.imports.documents import Step
from cqrs_app.platform.transfer.imports.spooled import SpooledTexts

_PAGE = 500

MOMENTS: Moments = MappingProxyType(
    {
        "refund_requested": (events.PaymentRefundRequested, RefundPayment),
        "refunded": (events.PaymentRefunded, RecordRefund),
        "refund_declined": (events.PaymentDeclined, RecordDecline),
        "disputed": (events.PaymentDisputed, RecordDispute),
        "dispute_resolved": (events.PaymentDisputeResolved, ResolveDispute),
    }
)
"""What can happen to money that was received."""

COMMANDS: tuple[type[Command], ...] = (RecordPayment, *(command for _, command in MOMENTS.values()))

_WHAT = {event: what for what, (event, _) in MOMENTS.items()}


class Payments:
    """All payments, by order. Memory use does not grow with their number."""

    def __init__(
        self, store: EventStore, codec: EventCodec, left_out: Callable[[UnreadableEvent], None]
    ) -> None:
        """`left_out` is called with the error of a payment that cannot be read."""
        self._texts = SpooledTexts()
        streams = (each.stream for each in store.each_stream(f"{Payment.category}-"))
        while some := list(islice(streams, _PAGE)):
            for stored in store.events_of_each(some).values():
                try:
                    found = payment_of([codec.decode(each) for each in stored])
                except UnreadableEvent as error:
                    left_out(error)
                else:
                    self._add(*found)

    def of(self, order_id: str) -> list[Plain]:
        """Those of this order, by number."""
        found: list[Plain] = []
        while text := self._texts.get(_key(order_id, len(found))):
            found.append(msgspec.json.decode(text))
        return found

    def _add(self, order_id: str, plain: Plain) -> None:
        if not plain:
            return
        place, text = 0, msgspec.json.encode(plain).decode()
        while not self._texts.add(_key(order_id, place), text):
            place += 1


def _key(order_id: str, place: int) -> str:
    return f"{order_id} {place}"


def payment_of(recorded: Sequence[Recorded]) -> tuple[str, Plain]:
    """All events of a payment: the number of its order, and plain values, which are empty if the
    shop received nothing."""
    first: Any = recorded[0].event
    order_id, plain, refunds = first.order_id, Plain(), dict[int, int]()
    for each in recorded:
        event: Any = each.event
        match event:
            case events.PaymentRecorded():
                fields = shared_fields(event, RecordPayment, "order_id")
                plain = {"at": each.occurred_at} | fields | {"moments": []}
            case events.PaymentCaptured():
                plain = _captured(each, event, first.method, plain)
            case events.PaymentMoved():
                order_id = event.order_id
            case events.PaymentRefundRequested():
                refunds[event.request_no] = len(refunds) + 1
        if plain and (what := _what(event)):
            found = moment_of(each, what, MOMENTS, "payment_id")
            if "request_no" in found:
                # A recorded payment has no requests but refunds.
                found["request_no"] = refunds[event.request_no]
            plain["moments"].append(found)
    return order_id, plain


def _captured(each: Recorded, event: events.PaymentCaptured, method: str, plain: Plain) -> Plain:
    """As of the first time that some of it was."""
    if plain:
        return plain | {"amount": plain["amount"] + event.amount}
    return {
        "at": each.occurred_at,
        "payment_id": event.payment_id,
        "amount": event.amount,
        "currency": event.currency,
        "method": method,
        "reference": event.reference,
        "note": "",
        "moments": [],
    }


def _what(event: Any) -> str:
    """The moment that it is; empty if it is none."""
    if isinstance(event, events.PaymentDeclined) and event.asked != Asked.REFUND:
        return ""
    return _WHAT.get(type(event), "")


def payment_steps(order_id: str, plain: Any) -> Iterator[Step]:
    """The inverse of `Payments.of`. Raises Unusable, or Invalid with a sentence per field."""
    seen: set[str] = set()
    for each in objects(plain, "payment"):
        rest = dict(each)
        at, moments = rest.pop("at", ""), objects(rest.pop("moments", []), "moment")
        recorded = parse(RecordPayment, rest | {"order_id": order_id})
        payment_id = recorded.payment_id
        if payment_id in seen:
            raise Unusable(f"the payment {payment_id} is there twice")
        seen.add(payment_id)
        yield Step(time_of(at), recorded, f"payment-{payment_id}")
        for index, moment in enumerate(moments, start=1):
            prefix = f"payment-{payment_id}-{index}"
            yield step_of(moment, MOMENTS, prefix, payment_id=payment_id)
