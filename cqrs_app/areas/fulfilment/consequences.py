"""What follows from a command about an order or its payments, in the words of the shop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from types import MappingProxyType
from typing import Any

from cqrs_app.areas.fulfilment.decide import RETURNED
from cqrs_app.areas.fulfilment.decisions import ProcessOf
from cqrs_app.areas.fulfilment.dispatch import COMMANDS, PERMISSIONS
from cqrs_app.areas.fulfilment.evolve_order import US
from cqrs_app.areas.fulfilment.inputs import (
    DECISIONS,
    ORDER_EVENTS,
    PAYMENT_EVENTS,
    Approved,
    Input,
    Returned,
    input_of,
)
from cqrs_app.areas.fulfilment.ordered import Ordered, ordered, restocked
from cqrs_app.areas.fulfilment.plan import Plan, Tried, plan
from cqrs_app.areas.fulfilment.process import OutgoingCommand
from cqrs_app.areas.fulfilment.types import Policy
from cqrs_app.areas.inventory.events import (
    StockAdjusted,
    StockCommitted,
    StockReleased,
    StockReservationChanged,
    StockReserved,
)
from cqrs_app.areas.orders.events import OrderApproved, OrderPlaced, ReturnReceived
from cqrs_app.areas.payments.events import (
    PaymentAuthorisationRequested,
    PaymentCaptureRequested,
    PaymentMoved,
    PaymentRefundRequested,
    PaymentVoidPlanned,
    PaymentVoidRequested,
)
from cqrs_app.kernel import Event, Recorded, counted
from cqrs_app.kernel.effects import (
    Actor,
    Consequences,
    Context,
    Effect,
    Prospect,
    Quantity,
    Rehearsed,
    parse,
)
from cqrs_app.standards.money import exact

MOST_EFFECTS = 200
"""An order of thousands of products has as many effects; those about money come first."""

BY_HAND = "manual"
"""The gateway name, in events, of payments that people carry out."""

_MOVES = (PaymentRefundRequested, PaymentCaptureRequested)

_PAST_INPUTS = ORDER_EVENTS | PAYMENT_EVENTS


def follow_ups(process_of: ProcessOf, policy: Policy) -> Consequences:
    """What fulfilment would do about the events of a command; `policy` applies to orders that
    begin.
    """

    def follow(prospect: Prospect) -> Iterator[Effect]:
        for order_id in dict.fromkeys(_orders_in(prospect.events)):
            process = process_of(order_id)
            if process.begun and not process.lines:
                continue  # it was approved a moment ago, and nothing else is known yet
            inputs = list(_inputs(prospect, order_id, policy))
            if inputs:
                planned = plan(process, inputs, lambda sent: _tried(prospect, sent))
                yield from islice(effects_of(planned), MOST_EFFECTS)

    return follow


def effects_of(planned: Plan) -> Iterator[Effect]:
    """The effects of a plan: first the certain ones, then those that depend on a pending answer."""
    for command, tried in planned.steps:
        sentence = _sentence(command, tried)
        if sentence:
            yield Effect(
                command=command.name,
                subject=command.subject,
                sentence=sentence,
                quantities=tuple(filter(None, map(quantity_of, tried.events))),
            )
    if planned.process.given_up:
        for payment_id, paid in planned.process.payments.items():
            if "capture" in paid.waits:
                sentence = f"Payment {payment_id} is being captured; that money will be refunded."
                yield Effect(
                    command="RefundPayment", subject=payment_id, sentence=sentence, certain=False
                )


def _sentence(command: OutgoingCommand, tried: Tried) -> str:
    """Empty for a refused command, which has no effect."""
    if tried.code:
        return ""
    if command.name == "HoldOrder":
        return f"The order will be put on hold: {command.arguments['note']}"
    if command.name in _OF_ORDERS:
        return _OF_ORDERS[command.name]
    return " ".join(filter(None, map(words_for, tried.events)))


_OF_ORDERS = {
    "ReleaseOrder": "The order will be released.",
    "CancelOrder": "The order will be cancelled.",
}


def quantity_of(event: Event) -> Quantity | None:
    """What the event means for money and stock, in figures."""
    match event:
        case PaymentRefundRequested(gateway=gateway) if gateway == BY_HAND:
            return Quantity(
                event.currency, event.amount, "must be refunded by hand", moves_money=True
            )
        case StockReservationChanged():
            more = event.quantity - event.before
            return Quantity(UNITS, Decimal(abs(more)), RESERVED if more > 0 else TO_STOCK)
        case StockAdjusted():
            return Quantity(UNITS, Decimal(abs(event.difference)), _direction(event))
        case StockReserved() | StockReleased() | StockCommitted():
            return Quantity(UNITS, Decimal(event.quantity), _VERBS[type(event)])
    paid: Any = event
    verb = _VERBS.get(type(event))
    moves = isinstance(event, _MOVES)
    return Quantity(paid.currency, paid.amount, verb, moves) if verb else None


UNITS = ""
RESERVED = "will be reserved"
TO_STOCK = "will return to stock"
INTO_STOCK = "will be added to stock"
OUT_OF_STOCK = "will leave stock"
_VERBS: Mapping[type[Event], str] = MappingProxyType(
    {
        PaymentRefundRequested: "will be refunded",
        PaymentVoidRequested: "of authorisations will be voided",
        PaymentAuthorisationRequested: "will be requested",
        PaymentCaptureRequested: "will be captured",
        StockReserved: RESERVED,
        StockReleased: TO_STOCK,
        StockCommitted: OUT_OF_STOCK,
    }
)


def _direction(event: StockAdjusted) -> str:
    if event.difference < 0:
        return OUT_OF_STOCK
    return TO_STOCK if event.reason == RETURNED else INTO_STOCK


def words_for(event: Event) -> str:
    """What the event means for money and stock; empty for others."""
    match event:
        case PaymentRefundRequested(gateway=gateway) if gateway == BY_HAND:
            return f"{_money(event)} must be refunded by hand (payment {event.payment_id})."
        case PaymentRefundRequested():
            return f"{_money(event)} will be refunded to payment {event.payment_id}."
        case PaymentVoidRequested():
            return (
                f"The authorisation of {_money(event)} will be voided (payment {event.payment_id})."
            )
        case PaymentVoidPlanned():
            return f"The authorisation of payment {event.payment_id} will be voided."
        case PaymentAuthorisationRequested():
            return f"{_money(event)} will be requested as payment {event.payment_id}."
        case PaymentCaptureRequested():
            return f"{_money(event)} will be captured from payment {event.payment_id}."
    return _words_for_stock(event)


def _words_for_stock(event: Event) -> str:
    match event:
        case StockReserved():
            return f"{counted(event.quantity, 'unit')} of {event.sku} will be reserved."
        case StockReservationChanged() if event.quantity > event.before:
            more = event.quantity - event.before
            return f"{counted(more, 'unit')} more of {event.sku} will be reserved."
        case StockReservationChanged():
            return _moved(event.before - event.quantity, event.sku, TO_STOCK)
        case StockAdjusted():
            return _moved(abs(event.difference), event.sku, _direction(event))
        case StockReleased():
            return _moved(event.quantity, event.sku, TO_STOCK)
        case StockCommitted():
            return _moved(event.quantity, event.sku, OUT_OF_STOCK)
    return ""


def _moved(quantity: int, sku: str, where: str) -> str:
    return f"{counted(quantity, 'unit')} of {sku} {where}."


def _money(event: Any) -> str:
    amount: Decimal = exact(event.amount, event.currency)
    return f"{event.currency} {amount:f}"


def _orders_in(events: Iterable[Recorded]) -> Iterator[str]:
    for recorded in events:
        event: Any = recorded.event
        if type(event) in _PAST_INPUTS | DECISIONS | {OrderApproved, ReturnReceived}:
            if isinstance(event, PaymentMoved):
                yield event.from_order_id
            yield event.order_id


def _inputs(prospect: Prospect, order_id: str, policy: Policy) -> Iterator[Input]:
    for recorded in prospect.events:
        event: Any = recorded.event
        if recorded.is_history or order_id not in _orders_in([recorded]):
            continue
        if isinstance(event, OrderApproved):
            order = _order(prospect.past(recorded.stream))
            yield Approved(
                currency=order.currency, total=order.total, lines=order.lines, policy=policy
            )
        elif isinstance(event, ReturnReceived):
            lines = _order(prospect.past(recorded.stream)).lines
            yield Returned(restocked(event, lines))
        else:
            yield event if type(event) in DECISIONS else input_of(recorded)


def _order(past: Sequence[Event]) -> Ordered:
    [placed] = [each for each in past if isinstance(each, OrderPlaced)]
    return ordered(placed, past)


def _tried(prospect: Prospect, sent: Sequence[OutgoingCommand]) -> list[Tried]:
    """Rehearse the first MOST_EFFECTS; the rest is not predicted."""
    actor = Actor(US, PERMISSIONS)
    rehearsed = prospect.rehearse(
        [
            (
                parse(COMMANDS[each.name], each.arguments, from_text=True),
                Context(actor=actor, channel="process"),
            )
            for each in sent[:MOST_EFFECTS]
        ]
    )
    beyond = [Tried(code="not_rehearsed")] * (len(sent) - len(rehearsed))
    return [*map(_outcome, rehearsed), *beyond]


def _outcome(rehearsed: Rehearsed) -> Tried:
    error = rehearsed.error
    if error is not None:
        return Tried(code=error.code, sentence=error.sentence)
    return Tried(tuple(each.event for each in rehearsed.events))
