"""What happens next in the demo shop: one command, chosen at random from what could. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from cqrs_app.areas.inventory.commands import ReceiveStock
from cqrs_app.areas.orders.commands import (
    AddOrderNote,
    ApproveOrder,
    CancelOrder,
    DeliverOrder,
    HoldOrder,
    ShipOrder,
)
from cqrs_app.areas.orders.types import OrderLine, ShippedLine
from cqrs_app.areas.orders.words import CancelReason, HoldReason
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.platform.demo.catalogue import CARRIERS, PRODUCTS
from cqrs_app.platform.demo.shop import NOTES, Customer, order_of, tracking_number

LEFT_TO_APPROVE = 15
LEFT_TO_SHIP = 6
LEFT_TO_DELIVER = 12
LEFT_SHORT = 2
"""How many orders are left waiting at each stage, for whoever tries the console."""

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
    is still to ship of each line of the first order to ship, `next_order` a number that no order
    has yet."""

    customers: Sequence[Customer]
    next_order: str
    to_approve: Sequence[str] = ()
    to_ship: Sequence[str] = ()
    left: Sequence[int] = ()
    to_deliver: Sequence[str] = ()
    short: Sequence[str] = ()


def next_command(random: Random, shop: Shop) -> Command:
    """Something that a customer, a carrier or a colleague could do now."""
    choices: list[tuple[int, Callable[[Random, Shop], Command]]] = [(4, _place)]
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
    actions = [action for _, action in choices]
    (action,) = random.choices(actions, [weight for weight, _ in choices])
    return action(random, shop)


def _place(random: Random, shop: Shop) -> Command:
    order = order_of(random, shop.next_order, random.choice(shop.customers))
    (lines,) = random.choices((order.lines, _DECLINED, _TOO_MANY), (7, 1, 1))
    return replace(order, lines=lines)


def _approve(random: Random, shop: Shop) -> Command:
    return ApproveOrder(order_id=random.choice(shop.to_approve))


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
