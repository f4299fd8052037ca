"""What happens next in the demo shop: the opening, then one command at a time, chosen at random
from what could. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from cqrs_app.areas.fulfilment.commands import RetryFulfilment
from cqrs_app.areas.inventory.commands import ReceiveStock
from cqrs_app.areas.orders.commands import (
    AddOrderNote,
    ApproveOrder,
    CancelOrder,
    DeliverOrder,
    HoldOrder,
    PlaceOrder,
    ReceiveReturn,
    RequestReturn,
    ShipOrder,
)
from cqrs_app.areas.orders.types import OrderLine, ReturnedLine, ShippedLine
from cqrs_app.areas.orders.words import CancelReason, HoldReason, ReturnReason
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.platform.demo.catalogue import CARRIERS, PRODUCTS
from cqrs_app.platform.demo.shop import NOTES, Customer, order_of, tracking_number

LEFT_TO_APPROVE = 15
LEFT_TO_SHIP = 6
LEFT_TO_DELIVER = 12
LEFT_SHORT = 2
LEFT_DECLINED = 2
LEFT_UNPAID = 2
"""How many orders are left waiting at each stage, for whoever tries the console."""
LATE = 3
"""How many of the orders to approve, the oldest, nobody gets round to."""

_PRICES = {sku: (name, price) for sku, name, price in PRODUCTS}


def _line(sku: str, quantity: int) -> OrderLine:
    name, price = _PRICES[sku]
    return OrderLine(sku=sku, description=name, quantity=quantity, unit_price=price)


_DECLINED = (_line("SCF-051", 1),)
"""The sandbox declines captures of amounts that end in .51."""
_TOO_MANY = (_line("MUG-101", 60),)
"""More than the shop has of a product that runs low."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """The orders that wait, the oldest first, and the products that orders wait for. `left` is what
    is still to ship of each line of the first order to ship, `open_return` the number of an open
    return of the first of `delivered`. `next_order` is a number that no order has yet, `last_order`
    the one before it."""

    customers: Sequence[Customer]
    next_order: str
    last_order: str = ""
    to_approve: Sequence[str] = ()
    to_ship: Sequence[str] = ()
    left: Sequence[int] = ()
    to_deliver: Sequence[str] = ()
    delivered: Sequence[str] = ()
    open_return: str = ""
    short: Sequence[str] = ()
    declined: Sequence[str] = ()
    unpaid: Sequence[str] = ()


Action = Callable[[Random, Shop], Command]


def next_command(random: Random, shop: Shop, step: int) -> Command | None:
    """Something that a customer, a carrier or a colleague could do now; the first steps are those
    of OPENING. None where there is nothing to do."""
    if step <= len(OPENING):
        action = OPENING[step - 1]
        return action(random, shop) if _is_possible(action, shop) else None
    choices: list[tuple[int, Action]] = [(4, _place)]
    if len(shop.to_approve) > LEFT_TO_APPROVE:
        choices += [(6, _approve), (1, _hold), (1, _cancel)]
    if shop.to_approve:
        choices.append((1, _note))
    if len(shop.to_ship) > LEFT_TO_SHIP:
        choices.append((6, _ship))
    if len(shop.to_deliver) > LEFT_TO_DELIVER:
        choices.append((4, _deliver))
    if len(shop.short) > LEFT_SHORT:
        choices.append((2, _receive))
    if len(shop.unpaid) > LEFT_UNPAID:
        choices.append((2, _give_up))
    choices += [(1, action) for action in (_retry, _return) if _is_possible(action, shop)]
    (action,) = random.choices([each for _, each in choices], [weight for weight, _ in choices])
    return action(random, shop)


def _is_possible(action: Action, shop: Shop) -> bool:
    """Whether there is an order for it."""
    orders: dict[Action, Sequence[str]] = {
        **dict.fromkeys((_hold, _note), shop.to_approve),
        _ship: shop.to_ship,
        _deliver: shop.to_deliver,
        _return: shop.delivered,
        _retry: shop.declined[LEFT_DECLINED:],
    }
    return bool(orders.get(action, [shop.next_order]))


def _place(random: Random, shop: Shop) -> Command:
    (action,) = random.choices((_place_usual, _place_declined, _place_short), (7, 1, 1))
    return action(random, shop)


def _place_usual(random: Random, shop: Shop) -> PlaceOrder:
    return order_of(random, shop.next_order, random.choice(shop.customers))


def _place_declined(random: Random, shop: Shop) -> PlaceOrder:
    return replace(_place_usual(random, shop), lines=_DECLINED)


def _place_short(random: Random, shop: Shop) -> PlaceOrder:
    return replace(_place_usual(random, shop), lines=_TOO_MANY)


def _approve_last(random: Random, shop: Shop) -> Command:
    return ApproveOrder(order_id=shop.last_order)


def _approve(random: Random, shop: Shop) -> Command:
    return ApproveOrder(order_id=random.choice(shop.to_approve[LATE:]))


def _hold(random: Random, shop: Shop) -> Command:
    reason = random.choice(list(HoldReason))
    return HoldOrder(order_id=random.choice(shop.to_approve), reason=reason)


def _cancel(random: Random, shop: Shop) -> Command:
    reason = random.choice(list(CancelReason))
    return CancelOrder(order_id=random.choice(shop.to_approve), reason=reason)


def _note(random: Random, shop: Shop) -> Command:
    return AddOrderNote(order_id=random.choice(shop.to_approve), note=random.choice(NOTES))


def _ship(random: Random, shop: Shop) -> Command:
    carrier = random.choice(CARRIERS)
    lines = [
        ShippedLine(line_no=number, quantity=left)
        for number, left in enumerate(shop.left, start=1)
        if left
    ]
    in_part = len(lines) > 1 and random.random() < 0.3
    return ShipOrder(
        order_id=shop.to_ship[0],
        lines=tuple(lines[:1] if in_part else lines),
        carrier=carrier,
        tracking=tracking_number(random, carrier),
    )


def _deliver(random: Random, shop: Shop) -> Command:
    return DeliverOrder(order_id=shop.to_deliver[0])


def _receive(random: Random, shop: Shop) -> Command:
    reference = f"PO-{random.randint(5_000, 9_999)}"
    return ReceiveStock(
        sku=shop.short[0], quantity=random.choice((40, 60, 90)), reference=reference
    )


def _retry(random: Random, shop: Shop) -> Command:
    return RetryFulfilment(order_id=shop.declined[0])


def _give_up(random: Random, shop: Shop) -> Command:
    return CancelOrder(order_id=shop.unpaid[0], reason=CancelReason.PAYMENT_FAILED)


def _return(random: Random, shop: Shop) -> Command:
    """Something comes back: first it is requested, then received."""
    order_id = shop.delivered[0]
    if shop.open_return:
        return ReceiveReturn(order_id=order_id, return_id=shop.open_return)
    reason = random.choice(list(ReturnReason))
    lines = (ReturnedLine(line_no=1, quantity=1),)
    return RequestReturn(order_id=order_id, lines=lines, reason=reason)


_PLACED = (
    *(_place_usual, _place_declined, _place_short, _place_declined, _place_usual),
    *(_place_declined, _place_usual, _place_short, _place_declined, _place_usual),
)
_AFTERWARDS = (
    *(_deliver, _retry, _return, _retry, _return, _retry, _ship, _retry, _deliver, _retry),
    *(_retry, _return, _ship, _retry, _deliver, _retry, _hold, _retry, _note, _retry),
)
OPENING: tuple[Action, ...] = (
    *(action for place in _PLACED for action in (place, _approve_last)),
    *_AFTERWARDS,
)
"""The first steps: about as many orders as on any day, and something on every page. Two payments
are declined until nothing is left to try, two are tried again later."""
