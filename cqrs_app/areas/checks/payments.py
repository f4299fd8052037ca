"""A payment must fit its order: it exists, has the same currency, and that much is unpaid."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cqrs_app.areas.checks.types import Checks, Misfit, Reaction, react
from cqrs_app.areas.fulfilment.process import FulfilmentProcess
from cqrs_app.areas.orders.events import (
    OrderCancelled,
    OrderLinesChanged,
    OrderPlaced,
    OrderRejected,
    RemainingItemsCancelled,
)
from cqrs_app.areas.payments.commands import (
    AuthorisePayment,
    CapturePayment,
    MovePayment,
    RecordPayment,
)
from cqrs_app.areas.payments.events import (
    PaymentAuthorisationRequested,
    PaymentCaptured,
    PaymentMoved,
    PaymentRecorded,
    PaymentRefunded,
)
from cqrs_app.areas.payments.rules import BEYOND_ORDER, NO_ORDER, ORDER_GIVEN_UP, OTHER_CURRENCY
from cqrs_app.kernel import Event
from cqrs_app.kernel.effects import Call, Middleware, Proceed, Receipt
from cqrs_app.standards.money import charged, exact

ProcessOf = Callable[[str], FulfilmentProcess]
"""Finds an order's fulfilment by the order's number."""

NOTHING = Decimal(0)


@dataclass(slots=True)
class Costs:
    """What an order costs, folded from its events. An empty currency means no such order."""

    order_id: str
    currency: str = ""
    total: Decimal = NOTHING
    given_up: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """An amount that would count for an order. `arrived`: the shop already has the money, so
    refusing the command would not send it back.
    """

    order_id: str
    currency: str
    amount: Decimal
    arrived: bool = False


def payments_match(checks: Checks, process_of: ProcessOf) -> Middleware:
    """Checks what people do with payments, and that fulfilment charges nothing that somebody has
    paid since it decided to."""

    def check(call: Call, proceed: Proceed) -> Receipt:
        live = call.context.occurred_at is None and checks.payments is not Reaction.ACCEPT
        money = _money(call) if live else None
        if money:
            # Before looking: what another command adds meanwhile is then looked at too.
            call.guard("payments_of_order", f"order-{money.order_id}")
            costs = costs_of(money.order_id, call.past(f"order-{money.order_id}"))
            kept = _kept(process_of(money.order_id), costs.currency)
            if call.context.channel == "process":
                react(call, Reaction.REFUSE, beyond(money, costs, kept, excess=0))
            elif isinstance(call.command, CapturePayment):
                # A customer is not charged twice, even where money beyond the order is flagged.
                react(call, Reaction.REFUSE, beyond(money, costs, kept, checks.excess_percent))
            else:
                react(call, checks.payments, misfits(money, costs, kept, checks.excess_percent))
        return proceed(call)

    return check


def misfits(money: Money, costs: Costs, kept: Decimal, excess: int) -> Iterator[Misfit]:
    """Why this money does not fit an order for which the shop already has `kept`; None where it
    does.
    """
    if not costs.currency:
        yield Misfit(
            NO_ORDER,
            f"There is no order {money.order_id}.",
            "Look at the number again, or place the order first.",
        )
    elif costs.given_up and not money.arrived:
        yield Misfit(
            ORDER_GIVEN_UP,
            f"Order {money.order_id} was cancelled or rejected.",
            "Choose another order.",
        )
    elif money.currency != costs.currency:
        yield Misfit(
            OTHER_CURRENCY,
            f"Order {money.order_id} is in {costs.currency}, not in {money.currency}.",
            f"Choose an order in {money.currency}, or the amount in {costs.currency}.",
        )
    elif not costs.given_up:
        yield from beyond(money, costs, kept, excess)


def beyond(money: Money, costs: Costs, kept: Decimal, excess: int) -> Iterator[Misfit]:
    """Money in another currency, or for an unknown order, is not a double charge."""
    owed = charged(costs.total, costs.currency) if costs.currency else NOTHING
    if money.currency != costs.currency or kept + money.amount <= owed * (100 + excess) / 100:
        return
    paid = f" and {_text(kept, costs)} of it is paid or being captured" if kept else ""
    yield Misfit(
        BEYOND_ORDER,
        f"Order {costs.order_id} costs {_text(owed, costs)}{paid}; "
        f"{_text(money.amount, costs)} more is too much.",
        "Look at the order and the amount again.",
    )


def costs_of(order_id: str, events: Iterable[Event]) -> Costs:
    costs = Costs(order_id)
    for event in events:
        match event:
            case OrderPlaced():
                costs.currency, costs.total = event.currency, event.total
            case RemainingItemsCancelled():
                costs.total -= event.amount
            case OrderLinesChanged():
                costs.total = event.total
            case OrderCancelled() | OrderRejected():
                costs.given_up = True
    return costs


def _money(call: Call) -> Money | None:
    command: Any = call.command
    match command:
        case AuthorisePayment() | RecordPayment():
            return Money(
                order_id=command.order_id,
                currency=command.currency,
                amount=command.amount,
                arrived=isinstance(command, RecordPayment),
            )
        case MovePayment():
            return _of_payment(call, command.order_id, None)
        case CapturePayment():
            return _of_payment(call, "", command.amount)
    return None


def _of_payment(call: Call, to: str, amount: Decimal | None) -> Money | None:
    """Of a captured payment, or of one moved to the order `to`; None for any other."""
    order_id, currency = "", ""
    authorised = kept = NOTHING
    for event in call.past(call.stream):
        match event:
            case PaymentAuthorisationRequested():
                order_id, currency, authorised = event.order_id, event.currency, event.amount
            case PaymentRecorded():
                order_id, currency, kept = event.order_id, event.currency, event.amount
            case PaymentCaptured():
                kept, authorised = kept + event.amount, authorised - event.amount
            case PaymentRefunded():
                kept -= event.amount
            case PaymentMoved():
                order_id = event.order_id
    if not order_id:
        return None
    wanted = kept if to else authorised if amount is None else amount
    return Money(order_id=to or order_id, currency=currency, amount=wanted)


def _kept(process: FulfilmentProcess, currency: str) -> Decimal:
    """What the shop has for the order in the order's currency, open captures included."""
    paid = [each for each in process.payments.values() if each.currency == currency]
    captures = (each.to_capture for each in paid if "capture" in each.waits)
    return sum((each.kept for each in paid), sum(captures, NOTHING))


def _text(amount: Decimal, costs: Costs) -> str:
    return f"{costs.currency} {exact(amount, costs.currency):f}"
