"""Events for projections, made by ordinary commands. See copies.py for millions of them."""

from __future__ import annotations

import random
from collections.abc import Iterable
from decimal import Decimal

from bench.product import LINE, context
from cqrs_app.areas.orders.commands import AddOrderNote, ApproveOrder, PlaceOrder, ShipOrder
from cqrs_app.areas.orders.types import OrderLine, ShippingAddress
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.messages.messages import Command

BATCH = 500
_COUNTRIES = ("United Kingdom", "France", "Germany", "Norway")
_WORDS = ("white", "hanging", "heart", "lantern", "metal", "cream", "cupid", "coat", "hanger")


def by_commands(kernel: Kernel, orders: int, per_customer: int = 4) -> int:
    """Orders of one to five lines, by named customers; returns the number of events."""
    choose = random.Random(1)
    placed = [_place(number, number // per_customer, choose) for number in range(orders)]
    for start in range(0, orders, BATCH):
        some = placed[start : start + BATCH]
        _execute(kernel, some)
        _execute(kernel, (ApproveOrder(order_id=each.order_id) for each in some))
        _execute(kernel, (_ship(each) for each in some))
        _execute(
            kernel, (AddOrderNote(order_id=each.order_id, note="Mind the dog.") for each in some)
        )
    kernel.store.place()
    return kernel.store.head()


def one_order(kernel: Kernel, order_id: str) -> None:
    """A guest order: placed, approved, shipped and noted."""
    place = PlaceOrder(order_id=order_id, country="France", currency="EUR", lines=(LINE,))
    note = AddOrderNote(order_id=order_id, note="Mind the dog.")
    for command in (place, ApproveOrder(order_id=order_id), ShipOrder(order_id=order_id), note):
        _execute(kernel, [command])
    kernel.store.place()


def _execute(kernel: Kernel, commands: Iterable[Command]) -> None:
    outcomes = kernel.commands.execute_batch([(command, context()) for command in commands])
    assert all(outcome.error is None for outcome in outcomes)


def _place(number: int, customer: int, choose: random.Random) -> PlaceOrder:
    lines = tuple(
        OrderLine(
            sku=f"{choose.randrange(20_000, 24_000)}",
            description=" ".join(choose.choices(_WORDS, k=4)),
            quantity=choose.randrange(1, 13),
            unit_price=Decimal(choose.randrange(50, 2_000)) / 100,
        )
        for _ in range(choose.randrange(1, 6))
    )
    address = ShippingAddress(
        name=f"Ana Lima {customer}", line1=f"{number} High Street", city="Leeds", postal_code="LS1"
    )
    return PlaceOrder(
        order_id=f"B{number}",
        customer_id=f"C{customer}",
        customer_name=f"Ana Lima {customer}",
        country=choose.choice(_COUNTRIES),
        shipping_address=address,
        currency="GBP",
        lines=lines,
    )


def _ship(order: PlaceOrder) -> ShipOrder:
    return ShipOrder(
        order_id=order.order_id, carrier="Royal Mail", tracking=f"RM{order.order_id}GB"
    )
