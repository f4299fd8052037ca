"""What the conditions of policies are about, and what a signer is shown: from a dry run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from cqrs_app.areas.fulfilment.consequences import words_for
from cqrs_app.areas.orders.events import CreditNoteRecorded, OrderPlaced, ShippingAddressChanged
from cqrs_app.areas.orders.order import Order
from cqrs_app.areas.payments.events import PaymentCaptureRequested, PaymentRefundRequested
from cqrs_app.areas.payments.payment import Payment
from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.commands.consequences import Forecast
from cqrs_app.kernel.commands.context import Context
from cqrs_app.kernel.commands.handling import Handler
from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.messages.messages import Command, Event
from cqrs_app.kernel.privacy.personal import ERASED
from cqrs_app.platform.approvals.policy import Circumstances, SeenVersion, ShownEffects

Past = Callable[[str], Sequence[Event]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a command would do now, and what conditions and limits find in that."""

    command: Command
    forecast: Forecast
    found: Circumstances


_MOVES = (PaymentRefundRequested, PaymentCaptureRequested, CreditNoteRecorded)
_MINDED = (Order.category, Payment.category)
"""The versions of other things that a signature depends on. A product's stock changes with every
order; what it comes to is in the effects."""
_NONE = Decimal(0)
SOME_TIME = datetime(2000, 1, 1, tzinfo=UTC)


def circumstances(
    command: Command, context: Context, forecast: Forecast, past: Past, role: str
) -> Circumstances:
    """What conditions are compared with. `role` is that of who asks."""
    order_id = getattr(forecast.before, "order_id", "") or getattr(command, "order_id", "")
    order, country = _order(past(Order.stream_of(order_id))) if order_id else (None, "")
    about = worth_of(forecast.before, forecast.events)
    return Circumstances(
        command=type(command).__name__,
        fields=msgspec.to_builtins(command),
        moved=_moved(forecast),
        worth=about or (order.worth if order else {}),
        status=str(order.status or "") if order else "",
        country=country or country_of(each.event for each in forecast.events),
        role=role,
        channel=context.channel,
    )


def shown(
    command: Command,
    forecast: Forecast,
    past: Past,
    handlers: Mapping[type[Command], Handler],
) -> ShownEffects:
    """What a signer is shown of the command."""
    handler = handlers[type(command)]
    identity = getattr(command, handler.aggregate.identity)
    own = filter(None, (words_for(each.event) for each in forecast.events))
    follow = (each.sentence for each in forecast.effects)
    stake = _moved(forecast) or forecast.before.worth
    versions = {each: len(past(each)) for each in _touched(forecast, handlers)}
    versions = {handler.aggregate.stream_for(command): forecast.version} | versions
    currency, amount = max(stake.items(), key=lambda each: each[1], default=("", None))
    return ShownEffects(
        effects=(f"{command.declaration.label} {identity}.", *own, *follow),
        versions=tuple(SeenVersion(stream=each, version=seen) for each, seen in versions.items()),
        amount=amount,
        currency=currency,
    )


def _touched(forecast: Forecast, handlers: Mapping[type[Command], Handler]) -> Iterable[str]:
    aggregates = {each.__name__: handler.aggregate for each, handler in handlers.items()}
    for effect in forecast.effects:
        aggregate = aggregates.get(effect.command)
        if aggregate is not None and aggregate.category in _MINDED:
            yield aggregate.stream_of(effect.subject)


def worth_of(before: Aggregate, events: Iterable[Recorded]) -> dict[str, Decimal]:
    """By currency: the worth of what a command is about, before its events or after them, whichever
    is more."""
    earlier, after = before.worth, deepcopy(before)
    for each in events:
        after.evolve(each.event, each.occurred_at)
    return {
        name: max(earlier.get(name, _NONE), after.worth.get(name, _NONE))
        for name in {**earlier, **after.worth}
    }


def _moved(forecast: Forecast) -> dict[str, Decimal]:
    """By currency: of its own events or of what follows, whichever is more."""
    own, follow = money_in(each.event for each in forecast.events), dict[str, Decimal]()
    for each in (quantity for effect in forecast.effects for quantity in effect.quantities):
        if each.moves_money:
            follow[each.currency] = follow.get(each.currency, _NONE) + each.amount
    return {name: max(own.get(name, _NONE), follow.get(name, _NONE)) for name in own | follow}


def money_in(events: Iterable[Any]) -> dict[str, Decimal]:
    """By currency: what these events refund, capture or credit."""
    moved = dict[str, Decimal]()
    for event in events:
        if isinstance(event, _MOVES):
            moved[event.currency] = moved.get(event.currency, _NONE) + event.amount
    return moved


def _order(past: Sequence[Event]) -> tuple[Order, str]:
    """An order as it is, times apart, and its country."""
    order = Order()
    for event in past:
        order.evolve(event, SOME_TIME)
    return order, country_of(past)


def country_of(past: Iterable[Event]) -> str:
    """The country of an order."""
    return next((each.country for each in past if isinstance(each, OrderPlaced)), "")


def destination_of(past: Iterable[Event]) -> str:
    """The country of an order's shipping address; empty if it is not known, or was erased."""
    found = ""
    for each in past:
        match each:
            case OrderPlaced():
                found = each.shipping_address.country
            case ShippingAddressChanged():
                found = each.address.country
    return "" if found == ERASED else found
