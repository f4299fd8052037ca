"""A plausible month of a small shop: fictitious, seeded, with orders in every state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from cqrs_app.areas.customers.commands import ChangeCustomerAddress, RegisterCustomer
from cqrs_app.areas.inventory.commands import AddProduct, ExpectStock, ReceiveStock, SetProductPrice
from cqrs_app.areas.orders.amounts import amount_of
from cqrs_app.areas.orders.commands import (
    AddOrderNote,
    ApproveOrder,
    CancelOrder,
    DeliverOrder,
    HoldOrder,
    PlaceOrder,
    RecordCreditNote,
    RejectOrder,
    ReleaseOrder,
    ShipOrder,
)
from cqrs_app.areas.orders.types import (
    CreditedLine,
    OrderLine,
    ShippedLine,
    ShippingAddress,
)
from cqrs_app.areas.orders.words import CancelReason, HoldReason
from cqrs_app.areas.payments.commands import RecordPayment
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.search_words import tokenize
from cqrs_app.platform.demo.catalogue import (
    CARRIERS,
    CHARGES,
    FIRST_NAMES,
    LAST_NAMES,
    PLACES,
    PRODUCTS,
)
from cqrs_app.standards.money import exact

SEED = 20_260_101
DAYS = 30
BEFORE_OPENING = timedelta(hours=18)
"""Nothing is placed for so long: the opening places the orders of the last day, see life.py."""
CURRENCY = "EUR"
NOTES = (
    "Customer asked for delivery after 17:00.",
    "Second order this week, ship together if possible.",
    "Called about the address, confirmed.",
    "Wants an invoice with the company name.",
)


@dataclass(frozen=True, slots=True)
class Task:
    """A command, and the time (UTC) at which it happened."""

    at: datetime
    command: Command


@dataclass(frozen=True, slots=True)
class Customer:
    customer_id: str
    name: str
    address: ShippingAddress


def tasks(orders: int, now: datetime) -> list[Task]:
    """What happened to this many orders in the days before `now`, in chronological order."""
    random = Random(SEED)
    customers = customers_of(orders)
    begun, first = now - timedelta(days=DAYS + 1), now - timedelta(days=DAYS)
    everything = list(_opening_stock(now))
    everything += [Task(begun, each) for customer in customers for each in _profile(customer)]
    for number in range(orders):
        placed = first + (now - BEFORE_OPENING - first) * ((number + random.random()) / orders)
        everything += _life_of_an_order(
            random, order_number(number), random.choice(customers), placed
        )
    everything += _payments(everything)
    return sorted((task for task in everything if task.at < now), key=lambda task: task.at)


def customers_of(orders: int) -> list[Customer]:
    """The customers of a shop with this many orders: always the same ones."""
    random = Random(SEED)
    return [_customer(random, number) for number in range(max(orders // 3, 1))]


def order_number(number: int) -> str:
    """The number of the order that is placed as the `number`-th, from 0."""
    return f"CS-{10_001 + number}"


def _opening_stock(now: datetime) -> Iterator[Task]:
    """Uses its own seed, so that the orders do not depend on the stock."""
    random = Random(SEED)
    for number, (sku, name, price) in enumerate(PRODUCTS):
        at = now - timedelta(days=DAYS + 1, minutes=len(PRODUCTS) - number)
        tracked = sku not in CHARGES
        usual = 5_000 if price < 1 else random.choice((40, 60, 90, 120))
        yield Task(
            at,
            AddProduct(
                sku=sku, description=name, tracked=tracked, low_below=usual // 4 if tracked else 0
            ),
        )
        yield Task(at, SetProductPrice(sku=sku, currency=CURRENCY, price=price))
        if tracked:
            # Every sixth product runs low, and half of those have an incoming delivery.
            low = number % 6 == 2
            there = usual // 5 if low else usual * random.randint(2, 5)
            reference = f"PO-{4_100 + number}"
            yield Task(at, ReceiveStock(sku=sku, quantity=there, reference=reference))
            if number % 12 == 2:
                due = (now + timedelta(days=4)).date()
                expected = ExpectStock(
                    sku=sku, reference=f"{reference}-2", quantity=usual * 2, due=due
                )
                yield Task(now - timedelta(days=2, minutes=number), expected)


def _customer(random: Random, number: int) -> Customer:
    name = f"{random.choice(FIRST_NAMES)} {random.choice(LAST_NAMES)}"
    country, city, code, street = random.choice(PLACES)
    address = ShippingAddress(
        name=name,
        line1=f"{street} {random.randint(1, 120)}",
        city=city,
        postal_code=code,
        country=country,
    )
    return Customer(f"C{1001 + number}", name, address)


def _profile(customer: Customer) -> Iterator[Command]:
    mailbox = ".".join(tokenize(f"{customer.name} {customer.customer_id}"))
    address = customer.address
    yield RegisterCustomer(
        customer_id=customer.customer_id,
        name=customer.name,
        email=f"{mailbox}@example.org",
        country=address.country,
    )
    yield ChangeCustomerAddress(
        customer_id=customer.customer_id,
        line1=address.line1,
        postal_code=address.postal_code,
        city=address.city,
    )


def _life_of_an_order(
    random: Random, order_id: str, customer: Customer, at: datetime
) -> Iterator[Task]:
    order = order_of(random, order_id, customer)
    yield Task(at, order)
    if random.random() < 0.15:
        yield Task(
            _later(random, at, 1, 50), AddOrderNote(order_id=order_id, note=random.choice(NOTES))
        )
    if random.random() < 0.12:
        reason = random.choice(list(HoldReason))
        at = _later(random, at, 10, 200)
        yield Task(at, HoldOrder(order_id=order_id, reason=reason))
        if random.random() < 0.4:
            return
        at = _later(random, at, 60, 2_000)
        yield Task(at, ReleaseOrder(order_id=order_id))
    fate = random.random()
    # One in three waits for days.
    at = _later(random, at, 20, 1_600) if fate < 0.65 else _later(random, at, 2_000, 7_000)
    if fate < 0.04:
        yield Task(at, RejectOrder(order_id=order_id, reason="The payment could not be confirmed."))
        return
    yield Task(at, ApproveOrder(order_id=order_id))
    at = _later(random, at, 120, 2_800)
    if fate < 0.10:
        cancelled_for = random.choice(list(CancelReason))
        yield Task(at, CancelOrder(order_id=order_id, reason=cancelled_for))
        return
    yield from _shipping(random, order, customer, at)


def _shipping(
    random: Random, order: PlaceOrder, customer: Customer, at: datetime
) -> Iterator[Task]:
    carrier, order_id = random.choice(CARRIERS), order.order_id
    tracking = tracking_number(random, carrier)
    if len(order.lines) > 1 and random.random() < 0.3:
        first = ShippedLine(line_no=1, quantity=order.lines[0].quantity)
        yield Task(
            at, ShipOrder(order_id=order_id, lines=(first,), carrier=carrier, tracking=tracking)
        )
        at = _later(random, at, 2_000, 9_000)
        tracking = tracking_number(random, carrier)
    yield Task(at, ShipOrder(order_id=order_id, carrier=carrier, tracking=tracking))
    at = _later(random, at, 1_200, 5_000)
    yield Task(at, DeliverOrder(order_id=order_id))
    if random.random() < 0.06:
        line = order.lines[0]
        credited = CreditedLine(
            sku=line.sku, description=line.description, quantity=1, unit_price=line.unit_price
        )
        credit = RecordCreditNote(
            credit_note_id=f"CN-{order_id}",
            customer_id=order.customer_id,
            country=order.country,
            currency=CURRENCY,
            reason="Arrived damaged",
            lines=(credited,),
        )
        yield Task(_later(random, at, 600, 6_000), credit)


def tracking_number(random: Random, carrier: str) -> str:
    return f"{carrier}{random.randint(10**9, 10**10 - 1)}"


def order_of(random: Random, order_id: str, customer: Customer) -> PlaceOrder:
    """An order of this customer, who sometimes orders as a guest."""
    guest = random.random() < 0.08
    lines = []
    for sku, name, price in random.sample(PRODUCTS, random.choice((1, 1, 2, 2, 3, 4, 6))):
        quantity = 80 * random.randint(1, 5) if price < 1 else random.choice((1, 1, 1, 2, 3, 6))
        lines.append(OrderLine(sku=sku, description=name, quantity=quantity, unit_price=price))
    return PlaceOrder(
        order_id=order_id,
        customer_id="" if guest else customer.customer_id,
        customer_name=customer.name,
        country=customer.address.country,
        shipping_address=customer.address,
        currency=CURRENCY,
        lines=tuple(lines),
    )


def _payments(tasks: Iterable[Task]) -> Iterator[Task]:
    """What shipped had been paid for by bank transfer."""
    placed: dict[str, PlaceOrder] = {}
    for task in tasks:
        command = task.command
        if isinstance(command, PlaceOrder):
            placed[command.order_id] = command
        elif isinstance(command, ShipOrder) and command.order_id in placed:
            order = placed.pop(command.order_id)
            payment = RecordPayment(
                payment_id=f"{order.order_id}-1",
                order_id=order.order_id,
                amount=exact(amount_of(order.lines), order.currency),
                currency=order.currency,
                method="bank transfer",
                reference=f"TR-{order.order_id}",
            )
            yield Task(task.at - timedelta(minutes=30), payment)


def _later(random: Random, at: datetime, least: int, most: int) -> datetime:
    return at + timedelta(minutes=random.randint(least, most), seconds=random.randint(0, 59))
