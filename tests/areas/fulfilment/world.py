"""One order with its product, its payments and its fulfilment, in memory: all that people, the
gateway and time may do with them, and the states that this leads to."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar, cast

import msgspec
from msgspec import structs

from cqrs_app.areas.fulfilment.commands import CancelFulfilment, RetryFulfilment, SkipFulfilmentStep
from cqrs_app.areas.fulfilment.decide import decide as next_commands
from cqrs_app.areas.fulfilment.decisions import (
    not_cancellable,
    not_open,
    not_skippable,
    released_first,
)
from cqrs_app.areas.fulfilment.dispatch import COMMANDS
from cqrs_app.areas.fulfilment.events import (
    FulfilmentCancelled,
    FulfilmentRetried,
    FulfilmentStepSkipped,
)
from cqrs_app.areas.fulfilment.evolve import evolve
from cqrs_app.areas.fulfilment.evolve_order import US
from cqrs_app.areas.fulfilment.inputs import (
    ARRIVALS,
    ORDER_EVENTS,
    PAYMENT_EVENTS,
    Approved,
    CommandEnded,
    CommandsSent,
    DeadlinePassed,
    Input,
    Moved,
    Returned,
    StockArrived,
    input_of,
)
from cqrs_app.areas.fulfilment.process import FulfilmentProcess, Status
from cqrs_app.areas.fulfilment.types import OVER, Line, Policy
from cqrs_app.areas.inventory import commands as stock
from cqrs_app.areas.inventory.stock_item import StockItem
from cqrs_app.areas.inventory.words import AdjustReason
from cqrs_app.areas.orders import commands as orders
from cqrs_app.areas.orders.events import OrderApproved, ReturnReceived
from cqrs_app.areas.orders.order import Order
from cqrs_app.areas.orders.types import ChangedLine, OrderLine, ReturnedLine, ShippedLine
from cqrs_app.areas.orders.words import CancelReason, HoldReason, OrderStatus, ReturnReason
from cqrs_app.areas.payments import commands as payments
from cqrs_app.areas.payments import gateway_commands as gateway
from cqrs_app.areas.payments.payment import Payment
from cqrs_app.areas.payments.words import Asked, DisputeOutcome
from cqrs_app.installed_areas import Connections, build_registry
from cqrs_app.kernel.commands.aggregate import Aggregate
from cqrs_app.kernel.commands.handling import decide
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.events.recorded import Recorded, StoredEvent
from cqrs_app.kernel.messages.messages import Command, Event, parse

A = TypeVar("A", bound=Aggregate)

REGISTRY = build_registry(Connections(payment_gateway="sandbox"))
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
THE, LAMP, BY_HAND = "1", "LAMP", "P"
UNITS, PRICE = 2, Decimal(5)
MOST_PAYMENTS = 2
"""That are not over: people could record money without end."""
GIVEN_UP: dict[str, Any] = {"held": False, "held_by_us": False, "cancel_reason": "", "declines": 0}
GIVEN_UP |= {"waits_to_retry": False}
"""Means nothing any more."""
OVER_AND_DONE = frozenset({OrderStatus.DELIVERED, OrderStatus.CANCELLED, OrderStatus.REJECTED})


@dataclass(frozen=True)
class World:
    """Nothing in it is ever changed. `open` are fulfilment's commands without an outcome."""

    order: Order
    item: StockItem
    payments: dict[str, Payment]
    process: FulfilmentProcess
    policy: Policy

    @property
    def key(self) -> object:
        """The same for states that differ in numbers, times and what is over only."""
        process = structs.replace(
            self.process,
            payments={},
            payments_begun=0,
            steps=0,
            refused={},
            skipped=tuple(sorted(self.process.skipped)),
            declines=min(self.process.declines, len(self.policy.retry_after) + 1),
            status=Status(stage=self.process.status.stage),
        )
        if process.given_up:
            process = structs.replace(process, **GIVEN_UP)
        alive = sorted(
            msgspec.json.encode((_sums(each), self.process.payments.get(payment_id)))
            for payment_id, each in self.payments.items()
            if not _is_settled(each) or each.captured > each.refunded
        )
        order, item = self.order, self.item
        return (
            msgspec.json.encode(process),
            msgspec.json.encode(sorted({key.partition(" ")[0] for key in self.process.refused})),
            tuple(alive),
            (order.status, order.before_hold, order.hold_reason == "payment_check", *order.left),
            (*sorted(map(str, order.returning.values())), *sorted(order.returned.items())),
            order.quantity(1),
            (item.on_hand, item.reserved.get(THE, 0), item.retired),
        )

    @property
    def is_over(self) -> bool:
        """Nobody has anything to do any more."""
        return (
            self.order.status in OVER_AND_DONE
            and self.process.status.stage in {"", *OVER}
            and not self.item.reserved
            and not self.order.returning
            and all(map(_is_settled, self.payments.values()))
        )

    def __str__(self) -> str:
        order, status = self.order, self.process.status
        paid = {name: _sums(each) for name, each in self.payments.items()}
        return (
            f"order {order.status} before {order.before_hold} left {order.left}; "
            f"fulfilment {status.stage} ({status.sentence}); on hand {self.item.on_hand}, "
            f"reserved {self.item.reserved}; payments {paid}; refused {self.process.refused}"
        )


def begin(policy: Policy, on_hand: int) -> World:
    """An order of two lamps was placed."""
    world = World(Order(), StockItem(), {}, FulfilmentProcess(order_id=THE, placed=True), policy)
    line = OrderLine(sku=LAMP, description="", quantity=UNITS, unit_price=PRICE)
    placed = orders.PlaceOrder(order_id=THE, country="France", currency="EUR", lines=(line,))
    for command in (placed, stock.AddProduct(sku=LAMP)):
        world = do(world, command)
    if on_hand:
        world = do(world, stock.ReceiveStock(sku=LAMP, quantity=on_hand, reference="D"))
    return world


def explored(start: World, most: int) -> list[World]:
    """The first states that can be reached, each once, those with the fewest steps first."""
    waiting, found = deque([start]), {start.key: start}
    while waiting and len(found) < most:
        for after in followers(waiting.popleft()):
            if after.key not in found:
                found[after.key] = after
                waiting.append(after)
    return list(found.values())


def followers(world: World) -> Iterator[World]:
    """What somebody's action may lead to."""
    for act in actions(world):
        with suppress(Refused):
            yield act(world)


class Endings:
    """Finds an end for a state by actions that end things; remembers what has one."""

    def __init__(self) -> None:
        self._known: set[object] = set()

    def exist(self, world: World) -> bool:
        seen: list[object] = []
        while not world.is_over and world.key not in self._known:
            seen.append(world.key)
            further = (each for each in _ending(world) if each.key not in seen)
            after = next(further, None)
            if after is None:
                return False
            world = after
        self._known.update(seen)
        return True


def _ending(world: World) -> Iterator[World]:
    """What each action comes to that brings an end nearer."""
    for act in (*map(_doing, _closing(world)), *_decisions(world)):
        with suppress(Refused):
            yield act(world)


def _closing(world: World) -> Iterator[Command]:
    for payment_id, payment in world.payments.items():
        for number, request in enumerate(payment.requests, start=1):
            if request.is_open:
                yield ANSWERS[request.asked](
                    payment_id=payment_id, request_no=number, reference=f"{payment_id}-{number}"
                )
        yield payments.ClearFlaggedAnswers(payment_id=payment_id, note="Looked at.")
        won = DisputeOutcome.WON
        yield gateway.ResolveDispute(payment_id=payment_id, reference="d", outcome=won)
    for return_id in world.order.returning:
        yield orders.CancelReturn(order_id=THE, return_id=return_id)
    yield orders.CancelOrder(order_id=THE, reason=CancelReason.OTHER)
    yield orders.CancelRemainingItems(order_id=THE, reason=CancelReason.OTHER)
    yield orders.DeliverOrder(order_id=THE)
    for payment_id in world.payments:
        yield payments.VoidPayment(payment_id=payment_id, reason="No.")
    yield stock.ReleaseStock(sku=LAMP, order_id=THE)


def actions(world: World) -> Iterator[Callable[[World], World]]:
    """What anybody may try, refused or not."""
    yield from map(_doing, (*_of_people(world), *_of_gateway(world)))
    yield from _decisions(world)
    if world.process.begun:
        yield lambda world: settled(world, [DeadlinePassed()])


def _doing(command: Command) -> Callable[[World], World]:
    return partial(do, command=command)


def _decisions(world: World) -> Iterator[Callable[[World], World]]:
    for step in {world.process.skippable} - {None}:
        skip = SkipFulfilmentStep(order_id=THE, step=cast(Any, step), reason="Agreed by phone.")
        yield partial(decided, command=skip)
    yield partial(decided, command=RetryFulfilment(order_id=THE))
    yield partial(decided, command=CancelFulfilment(order_id=THE, reason="Agreed by phone."))


def _of_people(world: World) -> Iterator[Command]:
    yield orders.ApproveOrder(order_id=THE)
    yield orders.RejectOrder(order_id=THE, reason="No.")
    yield orders.HoldOrder(order_id=THE, reason=HoldReason.OTHER)
    yield orders.ReleaseOrder(order_id=THE)
    yield orders.ShipOrder(order_id=THE)
    yield orders.ShipOrder(order_id=THE, lines=(ShippedLine(line_no=1, quantity=1),))
    yield orders.DeliverOrder(order_id=THE)
    yield orders.CancelOrder(order_id=THE, reason=CancelReason.OTHER)
    yield orders.CancelRemainingItems(order_id=THE, reason=CancelReason.OTHER)
    for quantity in range(1, UNITS + 1):
        changed = ChangedLine(line_no=1, quantity=quantity, unit_price=PRICE)
        yield orders.ChangeOrderLines(order_id=THE, lines=(changed,))
    back = ReturnedLine(line_no=1, quantity=1)
    yield orders.RequestReturn(order_id=THE, lines=(back,), reason=ReturnReason.DAMAGED)
    for return_id in world.order.returning:
        yield orders.ReceiveReturn(order_id=THE, return_id=return_id)
        yield orders.CancelReturn(order_id=THE, return_id=return_id)
    if world.item.on_hand < UNITS:
        yield stock.ReceiveStock(sku=LAMP, quantity=1, reference="D")
    yield stock.AdjustStock(sku=LAMP, difference=-1, reason=AdjustReason.DAMAGED)
    yield stock.ReleaseStock(sku=LAMP, order_id=THE)
    yield stock.RetireProduct(sku=LAMP)
    yield stock.RestoreProduct(sku=LAMP)
    alive = [each for each in world.payments.values() if not _is_settled(each) or each.captured]
    if len(alive) < MOST_PAYMENTS:
        known = {"payment_id": f"{BY_HAND}{len(world.payments)}", "order_id": THE}
        for amount, currency in ((UNITS * PRICE, "EUR"), (PRICE, "EUR"), (PRICE, "GBP")):
            money = {"amount": amount, "currency": currency, "method": "card"}
            yield payments.RecordPayment(**known, **money, reference=str(len(world.payments)))
        yield payments.AuthorisePayment(**known, **money | {"amount": UNITS * PRICE})
    for payment_id, payment in world.payments.items():
        yield payments.CapturePayment(payment_id=payment_id)
        yield payments.VoidPayment(payment_id=payment_id, reason="No.")
        yield payments.RefundPayment(payment_id=payment_id, reason="No.")
        yield payments.ClearFlaggedAnswers(payment_id=payment_id, note="Looked at.")
        if payment.captured and not payment.disputes:
            yield gateway.RecordDispute(
                payment_id=payment_id, reference="d", amount=payment.captured, sentence="Not me."
            )
        for outcome in DisputeOutcome:
            yield gateway.ResolveDispute(payment_id=payment_id, reference="d", outcome=outcome)


ANSWERS = {
    Asked.AUTHORISATION: gateway.RecordAuthorisation,
    Asked.CAPTURE: gateway.RecordCapture,
    Asked.VOID: gateway.RecordVoid,
    Asked.REFUND: gateway.RecordRefund,
}


def _of_gateway(world: World) -> Iterator[Command]:
    """Its answers, and one that contradicts an earlier one."""
    for payment_id, payment in world.payments.items():
        for number, request in enumerate(payment.requests, start=1):
            known = {"payment_id": payment_id, "request_no": number}
            if request.is_open or (request.outcome == "done" and not payment.ever_flagged):
                yield gateway.RecordDecline(**known, code="no", sentence="No.")
            if request.is_open:
                yield ANSWERS[request.asked](**known, reference=f"{payment_id}-{number}")


def decided(world: World, command: Any) -> World:
    """A supervisor's decision about fulfilment."""
    process = world.process
    match command:
        case RetryFulfilment():
            refusal, event = not_open(process), FulfilmentRetried(order_id=THE)
        case SkipFulfilmentStep():
            refusal = not_skippable(process, command)
            event = cast(Any, FulfilmentStepSkipped)(
                order_id=THE, step=str(command.step), reason=command.reason
            )
        case _:
            refusal = not_cancellable(process)
            event = cast(Any, FulfilmentCancelled)(order_id=THE, reason=command.reason)
    if refusal:
        raise refusal
    return settled(world, [event])


def do(world: World, command: Command, by: str = "ann") -> World:
    """The command, all that fulfilment makes of it included. Raises Refused."""
    world, events = carried_out(world, command)
    return settled(world, inputs_of(world, command, events, by))


def settled(world: World, inputs: Iterable[Input]) -> World:
    """Fulfilment takes these in, and sends what follows until nothing does."""
    waiting = deque(inputs)
    while waiting:
        process = evolve(world.process, waiting.popleft())
        if process is not world.process and process.is_known:
            sent = next_commands(process)
            process = evolve(process, CommandsSent(sent.commands)) if sent.commands else process
            process = structs.replace(process, steps=process.steps + len(sent.commands))
            process = evolve(process, Moved(sent.status, None))
        world = replace(world, process=process)
        if not waiting and process.open:
            world, ended = _dispatched(world)
            waiting.extend(ended)
    return world


def _dispatched(world: World) -> tuple[World, list[Input]]:
    number, sent = next(iter(world.process.open.items()))
    command = parse(COMMANDS[sent.name], sent.arguments, from_text=True)
    try:
        world, events = carried_out(world, command)
    except Refused as refused:
        known = {"code": refused.code, "sentence": refused.sentence}
        return world, [CommandEnded(no=number, outcome="refused", **known)]
    return world, [
        CommandEnded(no=number, outcome="done"),
        *inputs_of(world, command, events, US),
    ]


def carried_out(world: World, command: Command) -> tuple[World, tuple[Event, ...]]:
    cls = REGISTRY.routes[type(command)].aggregate
    identity = getattr(command, cls.identity)
    held: dict[type[Aggregate], Aggregate] = {Order: world.order, StockItem: world.item}
    aggregate = _copy(held.get(cls) or world.payments.get(identity) or cls())
    handler = REGISTRY.routes[type(command)]
    if isinstance(command, orders.ShipOrder):
        handler = replace(handler, rules=(released_first(lambda order_id: world.process),))
    events = decide(aggregate, handler, command, NOON).events
    match aggregate:
        case Order():
            return replace(world, order=aggregate), events
        case StockItem():
            return replace(world, item=aggregate), events
    changed = world.payments | {identity: cast(Payment, aggregate)}
    return replace(world, payments=changed), events


def inputs_of(world: World, command: Command, events: Iterable[Event], by: str) -> list[Input]:
    return [each for event in events for each in _input(world, event, by)]


def _input(world: World, event: Event, by: str) -> Iterator[Input]:
    if isinstance(event, OrderApproved):
        order = world.order
        lines = (Line(sku=LAMP, quantity=order.quantity(1)),)
        yield Approved(currency=order.currency, total=order.total, lines=lines, policy=world.policy)
    elif isinstance(event, ReturnReceived):
        units = sum(line.restocked for line in event.lines)
        yield Returned({LAMP: units} if units else {})
    elif type(event) in ARRIVALS:
        yield StockArrived(LAMP)
    elif type(event) in ORDER_EVENTS | PAYMENT_EVENTS:
        yield input_of(_recorded(event, by))


def _recorded(event: Event, by: str) -> Recorded:
    stored = StoredEvent(
        stream="",
        version=1,
        type=type(event).__name__,
        schema=event.schema,
        payload="",
        operator=by,
        command_id="",
        correlation_id="",
        causation_id=None,
        occurred_at=NOON,
        recorded_at=NOON,
    )
    return Recorded(event, stored)


def _copy(aggregate: A) -> A:
    return msgspec.json.decode(msgspec.json.encode(aggregate), type=type(aggregate))


def _sums(payment: Payment) -> tuple[Any, ...]:
    waits = sorted({str(each.asked) for each in payment.requests if each.is_open})
    sums = (payment.authorised, payment.captured, payment.refunded, payment.voided)
    disputes = sorted(each.outcome for each in payment.disputes.values())
    flags = (bool(payment.flags), bool(payment.ever_flagged), payment.void_planned)
    return payment.currency, *sums, payment.declined, waits, disputes, *flags


def _is_settled(payment: Payment) -> bool:
    """Nothing more is to come of it."""
    uncaptured = not payment.voided and payment.authorised > payment.captured
    disputed = any(not each.outcome for each in payment.disputes.values())
    waits = any(each.is_open for each in payment.requests)
    return not (uncaptured or disputed or waits or payment.flags)
