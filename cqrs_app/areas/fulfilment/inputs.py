"""The inputs of a fulfilment process, with their texts for the list of an order's steps."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from cqrs_app.areas.fulfilment.events import (
    FulfilmentCancelled,
    FulfilmentRetried,
    FulfilmentStepSkipped,
)
from cqrs_app.areas.fulfilment.process import NOTHING, OrderedLine, OutgoingCommand, Status
from cqrs_app.areas.fulfilment.types import Line, Policy, Sent, Stage, Step
from cqrs_app.areas.inventory import events as stock
from cqrs_app.areas.orders import events as orders
from cqrs_app.areas.payments import events as payments
from cqrs_app.kernel import Event, Recorded, counted
from cqrs_app.standards.money import exact

ORDER_EVENTS = frozenset(
    {
        orders.OrderHeld,
        orders.OrderReleased,
        orders.OrderRejected,
        orders.OrderCancelled,
        orders.OrderShipped,
        orders.OrderDelivered,
        orders.RemainingItemsCancelled,
        orders.OrderLinesChanged,
    }
)
PAYMENT_EVENTS = frozenset(
    {
        payments.PaymentAuthorisationRequested,
        payments.PaymentAuthorised,
        payments.PaymentCaptureRequested,
        payments.PaymentCaptured,
        payments.PaymentVoidPlanned,
        payments.PaymentVoidRequested,
        payments.PaymentVoided,
        payments.PaymentRefundRequested,
        payments.PaymentRefunded,
        payments.PaymentRecorded,
        payments.PaymentDeclined,
        payments.PaymentMoved,
    }
)
ARRIVALS = frozenset(
    {
        stock.ProductRestored,
        stock.StockReceived,
        stock.StockAdjusted,
        stock.StockReleased,
        stock.StockReservationChanged,
    }
)
"""Events after which more of a product may be available."""

DECISIONS = frozenset({FulfilmentRetried, FulfilmentStepSkipped, FulfilmentCancelled})


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """`total` is in `currency`."""

    currency: str
    total: Decimal
    lines: Sequence[Line | OrderedLine]
    policy: Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderChanged:
    """`type` is the event's, `by` the operator, `sent` what was shipped; `cancelled` is what will
    not ship, `changed` the quantities of lines from now on, by line, and `added` are new lines.
    `amount` is what the order costs more, or less where it is negative."""

    type: str
    by: str
    sent: tuple[Sent, ...] = ()
    cancelled: tuple[Sent, ...] = ()
    changed: Mapping[int, int] = field(default_factory=dict)
    added: tuple[OrderedLine, ...] = ()
    amount: Decimal = NOTHING


@dataclass(frozen=True, slots=True)
class Returned:
    """Units that came back and can be sold again, by product."""

    units: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentChanged:
    """`type` is the event's; `asked` is the declined request, `sentence` the reason."""

    payment_id: str
    type: str
    asked: str = ""
    amount: Decimal = NOTHING
    currency: str = ""
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """There is such an order."""


@dataclass(frozen=True, slots=True)
class PaymentMoved:
    """The money of a payment, `amount`, counts for the order `to` from now on."""

    payment_id: str
    to: str
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class StockArrived:
    sku: str


@dataclass(frozen=True, slots=True)
class CommandsSent:
    commands: tuple[OutgoingCommand, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandEnded:
    """`outcome`: done, refused or failed, the latter two with code and sentence."""

    no: int
    outcome: str
    code: str = ""
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class DeadlinePassed:
    pass


@dataclass(frozen=True, slots=True)
class Moved:
    """`due_at` is when the wait becomes late; None: never."""

    status: Status
    due_at: datetime | None


Input = (
    Approved
    | OrderChanged
    | Returned
    | PaymentChanged
    | PaymentMoved
    | Placed
    | StockArrived
    | CommandsSent
    | CommandEnded
    | DeadlinePassed
    | Moved
    | FulfilmentRetried
    | FulfilmentStepSkipped
    | FulfilmentCancelled
)


def input_of(recorded: Recorded) -> OrderChanged | PaymentChanged | PaymentMoved:
    """The input that an event in ORDER_EVENTS or PAYMENT_EVENTS becomes."""
    event: Any = recorded.event
    if type(event) in ORDER_EVENTS:
        about: dict[str, Any] = {"type": recorded.stored.type, "by": recorded.stored.operator}
        match event:
            case orders.OrderShipped():
                about["sent"] = _units(event.lines)
            case orders.RemainingItemsCancelled():
                about |= {"cancelled": _units(event.lines), "amount": -event.amount}
            case orders.OrderLinesChanged():
                about["changed"] = {line.line_no: line.quantity for line in event.lines}
                about["added"] = tuple(map(ordered_line, event.added))
                about["amount"] = event.difference
        return OrderChanged(**about)
    if isinstance(event, payments.PaymentMoved):
        return PaymentMoved(event.payment_id, event.order_id, event.amount, event.currency)
    names = ("asked", "amount", "currency", "sentence")
    said = {name: getattr(event, name) for name in names if hasattr(event, name)}
    return PaymentChanged(payment_id=event.payment_id, type=recorded.stored.type, **said)


def _units(lines: Iterable[orders.SentLine | orders.CancelledLine]) -> tuple[Sent, ...]:
    return tuple(Sent(line_no=each.line_no, quantity=each.quantity) for each in lines)


def ordered_line(line: orders.OrderedLine) -> OrderedLine:
    return OrderedLine(line.sku, line.quantity)


STARTED = "Started"
"""The first step of every order."""


def words_for(item: Input | Event) -> tuple[str, str]:
    """What happened and its details, for the list of an order's steps."""
    match item:
        case Approved():
            units = sum(line.quantity for line in item.lines)
            total = _money(item.currency, item.total)
            shown = (counted(len(item.lines), "line"), counted(units, "unit"), total)
            return STARTED, _joined(shown, ", ")
        case OrderChanged():
            return _words(item.type), f"By {item.by}"
        case PaymentChanged():
            amount = _money(item.currency, item.amount) if item.amount else ""
            return _words(item.type), _joined((item.payment_id, amount, item.sentence), " · ")
        case PaymentMoved():
            amount = _money(item.currency, item.amount)
            return "Payment moved", f"{item.payment_id} · {amount} · to order {item.to}"
        case Placed():
            return "Order placed", ""
        case Returned():
            return "Items returned", f"{counted(sum(item.units.values()), 'unit')} to restock"
        case StockArrived():
            return "There may be stock again", item.sku
        case DeadlinePassed():
            return "Time is up", ""
        case Moved():
            return Stage(item.status.stage).label, item.status.sentence
    return _words_for_decision(item)


def _words_for_decision(item: Input | Event) -> tuple[str, str]:
    match item:
        case FulfilmentRetried():
            return "Tried again", ""
        case FulfilmentStepSkipped():
            return f"{Step(item.step).label} skipped", item.reason
        case FulfilmentCancelled():
            return "To be cancelled", item.reason
    raise TypeError(f"{type(item).__name__} is no step")


def words_for_command(command: OutgoingCommand, order_id: str) -> tuple[str, str]:
    """The requested action and its subject, for the list of an order's steps."""
    fields: Mapping[str, str] = command.arguments
    subject = "" if command.subject == order_id else command.subject
    units = f"{fields['quantity']} of" if "quantity" in fields else ""
    amount = fields.get("amount", "")
    if "currency" in fields:
        amount = _money(fields["currency"], Decimal(amount))
    parts = (units, subject, amount)
    return _words(command.name), _joined(parts, " ")


def _words(name: str) -> str:
    """PaymentCaptured -> Payment captured."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", name).capitalize()


def _money(currency: str, amount: Decimal) -> str:
    return f"{currency} {exact(amount, currency):f}"


def _joined(parts: tuple[str, ...], between: str) -> str:
    return between.join(filter(None, parts))
