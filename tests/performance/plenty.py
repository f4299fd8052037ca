"""Some of everything: orders, customers, products, payments, webhooks, imports, parked events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from flask import Flask
from sqlalchemy import insert

from cqrs_app.areas.customers import commands as customers
from cqrs_app.areas.expenses import commands as expenses
from cqrs_app.areas.inventory import commands as stock
from cqrs_app.areas.orders import commands as orders
from cqrs_app.areas.orders.types import CreditedLine, OrderLine, ShippedLine
from cqrs_app.areas.payments import commands as payments
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.commands.middleware import HISTORY
from cqrs_app.kernel.messages.messages import Command
from cqrs_app.kernel.store.tables import parked_events
from cqrs_app.platform.transfer.attachments.tables import order_files
from cqrs_app.platform.transfer.uploads.tables import imports
from cqrs_app.platform.webhooks import commands as webhooks
from cqrs_app.platform.webhooks.tables import webhook_attempts
from cqrs_app.services import services_of
from tests.interfaces.web.pages.conftest import catch_up

ADA = Actor("ada", ROLES["admin"] | {HISTORY})
NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
PRICE = Decimal("2.50")


def import_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


def grow(app: Flask, numbers: Iterable[int]) -> None:
    """Add a row to each list for each of these numbers, and do the work that follows."""
    for number in numbers:
        do(app, one_more(number))
        _import(app, number)
        services_of(app).tokens.create(f"token-{number}", "viewer", made_by="ada")
    settle(app)


def rich(app: Flask, number: int) -> None:
    """An order, a customer, a product and a payment with this many parts each, which is also their
    number."""
    do(app, _with_parts(number, number))
    kernel: Kernel = services_of(app).kernel
    with kernel.engines.write.begin() as connection:
        connection.execute(insert(webhook_attempts), [_attempt(number) for _ in range(number)])
        connection.execute(
            insert(order_files), [_file(number, part) for part in range(1, number + 1)]
        )
    settle(app)


def do(app: Flask, commands: Iterable[Command]) -> None:
    """Carry out these commands. A refusal fails the test."""
    kernel: Kernel = services_of(app).kernel
    items = [(each, Context(actor=ADA, channel="test")) for each in commands]
    for (command, _), outcome in zip(items, kernel.commands.execute_batch(items), strict=True):
        assert outcome.error is None, (command, outcome.error)


def settle(app: Flask) -> None:
    """Complete the orders' fulfilment and update every projection."""
    kernel: Kernel = services_of(app).kernel
    follower = kernel.tasks["fulfilment"]
    while kernel.runner.advance("fulfilment_process") or follower._due():
        follower._work("orders")
    catch_up(app)


def one_more(number: int) -> Iterator[Command]:
    customer = {"customer_id": f"C{number}", "country": "France"}
    line = OrderLine(sku=f"S{number}", description="Lamp", quantity=3, unit_price=PRICE)
    order_id = f"O{number}"
    yield customers.RegisterCustomer(
        customer_id=f"C{number}", name=f"Ann {number}", email=f"ann{number}@example.org"
    )
    yield stock.AddProduct(sku=f"S{number}", description=f"Lamp {number}", low_below=50)
    yield stock.ReceiveStock(sku=f"S{number}", quantity=20, reference=f"D{number}")
    yield orders.PlaceOrder(order_id=order_id, lines=(line,), currency="EUR", **customer)
    # Three of the commands that fill lists. Another order stays as placed.
    yield orders.ApproveOrder(order_id=order_id)
    yield orders.ShipOrder(order_id=order_id, lines=(ShippedLine(line_no=1, quantity=1),))
    yield orders.PlaceOrder(order_id=f"N{number}", lines=(line,), currency="EUR", **customer)
    yield _credit_note(f"K{number}", f"C{number}")
    yield _payment(f"P{number}", order_id)
    yield _webhook(f"w{number}")
    yield _claim(f"E{number}")


def _with_parts(number: int, parts: int) -> Iterator[Command]:
    order_id, customer_id = f"rich-{number}", f"rich-{number}"
    each = range(1, parts + 1)
    yield customers.RegisterCustomer(customer_id=customer_id, name="Rich")
    for part in each:
        yield customers.UpdateCustomerProfile(customer_id=customer_id, name=f"Rich {part}")
        yield stock.AddProduct(sku=f"R{number}-{part}")
        yield stock.ReceiveStock(sku=f"R{number}-{part}", quantity=9, reference="D")
        yield stock.ReceiveStock(sku=f"R{number}-1", quantity=9, reference=f"E{part}")
        yield stock.ExpectStock(
            sku=f"R{number}-1", quantity=9, reference=f"F{part}", due=date(2030, 1, 1)
        )
        yield _credit_note(f"rich-{number}-{part}", customer_id)
    yield orders.PlaceOrder(
        order_id=order_id,
        customer_id=customer_id,
        country="France",
        currency="EUR",
        lines=tuple(
            OrderLine(sku=f"R{number}-{part}", quantity=1, unit_price=PRICE) for part in each
        ),
    )
    for part in each:
        yield orders.AddOrderNote(order_id=order_id, note=f"note {part}")
        yield stock.ReserveStock(sku=f"R{number}-{part}", order_id=order_id, quantity=1)
        yield _payment(f"rich-{number}-{part}", order_id)
    yield _webhook(f"rich-{number}")
    yield _claim(f"rich-{number}")
    for part in each:
        yield expenses.AddExpenseNote(claim_id=f"rich-{number}", note=f"note {part}")


def _credit_note(credit_note_id: str, customer_id: str) -> Command:
    line = CreditedLine(sku="S", quantity=1, unit_price=PRICE)
    return orders.RecordCreditNote(
        credit_note_id=credit_note_id,
        customer_id=customer_id,
        country="France",
        currency="EUR",
        lines=(line,),
    )


def _claim(claim_id: str) -> Command:
    return expenses.SubmitExpenseClaim(
        claim_id=claim_id, purpose="Train", amount=PRICE, currency="EUR"
    )


def _payment(payment_id: str, order_id: str) -> Command:
    return payments.RecordPayment(
        payment_id=payment_id,
        order_id=order_id,
        amount=Decimal("1.00"),
        currency="EUR",
        method="cash",
        reference=payment_id,
    )


def _webhook(webhook_id: str) -> Command:
    """A webhook that is never called, since no order here is rejected."""
    return webhooks.AddWebhook(
        webhook_id=webhook_id, url="https://example.org/hook", event_types=("OrderRejected",)
    )


def _file(number: int, part: int) -> dict[str, Any]:
    """An attachment of an order with so many."""
    return {
        "file_id": import_id(number * 1_000 + part),
        "order_id": f"rich-{number}",
        "name": "damage.txt",
        "media_type": "text/plain",
        "size": 1,
        "sha256": "0" * 64,
        "received_at": NOW,
        "number": part,
        "attached_by": "ada",
        "attached_at": NOW,
        "subject": f"customer-rich-{number}",
        "content": b"x",
    }


def _import(app: Flask, number: int) -> None:
    """An uploaded file that was imported, and one event that fails."""
    kernel: Kernel = services_of(app).kernel
    row = {
        "import_id": import_id(number),
        "profile": "canonical",
        "file_name": "orders.csv",
        "size": 10,
        "sha256": "0" * 64,
        "uploaded_by": "ada",
        "uploaded_at": NOW,
        "state": "done",
        "done": 1,
        "total": 1,
        "attempts": 1,
        "set_aside": 0,
    }
    parked = {
        "subscription": "orders",
        "position": 1_000_000 + number,
        "stream": f"order-parked-{number}",
        "version": 1,
        "type": "OrderPlaced",
        "culprit": True,
        "error": "ValueError",
        "attempts": 1,
        "parked_at": NOW,
    }
    with kernel.engines.write.begin() as connection:
        connection.execute(insert(imports).values(row))
    with kernel.engines.read.begin() as connection:
        connection.execute(insert(parked_events).values(parked))


def _attempt(number: int) -> dict[str, object]:
    return {
        "webhook_id": f"rich-{number}",
        "message_id": "m",
        "type": "OrderPlaced",
        "position": 1,
        "status": 200,
        "duration_ms": 1.0,
        "attempted_at": NOW,
    }
