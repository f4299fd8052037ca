"""An order at a point in the past: all of it, from the events of every area, beside the present."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import update

from cqrs_app.areas.customers.commands import EraseCustomer, RegisterCustomer
from cqrs_app.areas.desk.queries.order_at import GetOrderAt, OrderAt, OrderSnapshot
from cqrs_app.areas.desk.queries.timeline import OrderTimeline
from cqrs_app.areas.fulfilment.commands import SkipFulfilmentStep
from cqrs_app.areas.fulfilment.subscription import FulfilmentSubscription
from cqrs_app.areas.fulfilment.types import Step
from cqrs_app.areas.inventory.commands import AddProduct, ReceiveStock, ReleaseStock, ReserveStock
from cqrs_app.areas.orders import commands as do
from cqrs_app.areas.orders.types import OrderLine, ShippingAddress
from cqrs_app.areas.orders.words import HoldReason, OrderStatus
from cqrs_app.areas.payments.commands import MovePayment, RecordPayment
from cqrs_app.areas.payments.words import PaymentStatus
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel import ERASED, Command, Invalid, Refused
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.commands.middleware import HISTORY
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.kernel.store.tables import events
from tests.interfaces.web.pages.conftest import catch_up
from tests.services.statements import statements

ANA = Actor("ana", frozenset(ROLES["admin"]) | {HISTORY})
VIEWER = Actor("vic", frozenset(ROLES["viewer"]))
LEEDS = ShippingAddress(name="Anna", line1="1 High Street", city="Leeds", country="United Kingdom")
YORK = ShippingAddress(name="Anna", line1="2 Low Street", city="York", country="United Kingdom")
LONG_AGO = datetime(2010, 12, 1, 12, tzinfo=UTC)


def run(kernel: Kernel, *commands: Command, at: datetime | None = None) -> None:
    for command in commands:
        kernel.commands.execute(command, Context(actor=ANA, channel="test", occurred_at=at))


def place(order_id: str = "1", customer_id: str = "", count: int = 1) -> do.PlaceOrder:
    return do.PlaceOrder(
        order_id=order_id,
        customer_id=customer_id,
        customer_name="Anna",
        country="United Kingdom",
        currency="GBP",
        lines=(OrderLine(sku="A", quantity=3, unit_price=Decimal("10.50")),) * count,
        shipping_address=LEEDS,
    )


def pay(payment_id: str, amount: str) -> RecordPayment:
    return RecordPayment(
        payment_id=payment_id,
        order_id="1",
        amount=Decimal(amount),
        currency="GBP",
        method="bank transfer",
        reference=payment_id,
    )


def ask(kernel: Kernel, actor: Actor = VIEWER, *, strong: bool = False, **point: Any) -> OrderAt:
    question = GetOrderAt(**{"order_id": "1"} | point)
    found = kernel.queries.ask(question, QueryContext(actor=actor, strong=strong)).value
    assert isinstance(found, OrderAt)
    return found


def then(kernel: Kernel, **point: Any) -> OrderSnapshot:
    found = ask(kernel, **point).then
    assert found
    return found


def entries(kernel: Kernel) -> Any:
    return kernel.queries.ask(OrderTimeline(order_id="1"), QueryContext(actor=ANA)).value


def position_of(kernel: Kernel, label: str, turn: int = 0) -> int:
    found = [each.position for each in entries(kernel) if each.label == label]
    return int(found[turn])


@pytest.fixture
def filled(kernel: Kernel) -> Kernel:
    run(kernel, AddProduct(sku="A"), ReceiveStock(sku="A", quantity=9, reference="D1"))
    run(kernel, place(), do.AddOrderNote(order_id="1", note="First."))
    run(kernel, pay("P1", "1.50"), ReserveStock(sku="A", order_id="1", quantity=3))
    run(kernel, do.ApproveOrder(order_id="1"), do.ChangeShippingAddress(order_id="1", address=YORK))
    run(kernel, pay("P2", "30"), ReleaseStock(sku="A", order_id="1"))
    run(kernel, do.HoldOrder(order_id="1", reason=HoldReason.STOCK_CHECK))
    run(kernel, do.AddOrderNote(order_id="1", note="Second."))
    catch_up(kernel, "read")
    return kernel


def test_each_version_is_the_whole_order_as_it_was(filled: Kernel) -> None:
    placed, approved, moved, now = (then(filled, version=each) for each in (1, 3, 4, 6))
    statuses = [each.order.status for each in (placed, approved, moved, now)]
    assert statuses == ["placed", "approved", "approved", "on_hold"]
    assert [each.order.shipping_address.city for each in (approved, moved)] == ["Leeds", "York"]
    assert [[note.detail[0][1] for note in each.notes] for each in (placed, approved, now)] == [
        [],
        ["First."],
        ["First.", "Second."],
    ]
    assert now.order.hold_reason is HoldReason.STOCK_CHECK
    assert [(line.sku, line.quantity) for line in placed.order.lines] == [("A", 3)]


def test_a_version_has_what_other_areas_had_recorded_by_then(filled: Kernel) -> None:
    assert then(filled, version=1).payments == ()
    assert [each.payment_id for each in then(filled, version=3).payments] == ["P1"]
    assert [each.payment_id for each in then(filled, version=5).payments] == ["P1", "P2"]
    (payment,) = then(filled, version=3).payments
    assert (payment.status, payment.captured) == (PaymentStatus.CAPTURED, Decimal("1.50"))
    assert [(each.sku, each.reserved) for each in then(filled, version=3).stock] == [("A", 3)]
    assert then(filled, version=5).stock == ()


def test_an_entry_of_another_area_is_a_point_too(filled: Kernel) -> None:
    found = ask(filled, position=position_of(filled, "Payment recorded"))
    assert found.then
    assert found.entry
    assert (found.version, found.newest, found.entry.label) == (2, 6, "Payment recorded")
    assert [each.payment_id for each in found.then.payments] == ["P1"]
    assert found.then.stock == ()
    assert [each.label for each in found.timeline] == ["Order placed", "Note", "Payment recorded"]


def test_the_present_is_beside_it(filled: Kernel) -> None:
    found = ask(filled, version=1)
    assert found.now
    assert found.now.order.status is OrderStatus.ON_HOLD
    assert len(found.now.payments) == 2
    last = ask(filled, version=99)
    assert (last.version, last.then and last.then.order) == (6, found.now.order)
    assert ask(filled).then == found.now


def test_before_it_was_placed_there_was_nothing(filled: Kernel) -> None:
    assert (ask(filled, version=0).then, ask(filled, version=0).timeline) == (None, ())
    assert ask(filled, at=LONG_AGO).then is None
    question = GetOrderAt(order_id="none")
    assert filled.queries.ask(question, QueryContext(actor=ANA)).value is None


def test_a_time_is_when_it_happened_in_every_area(kernel: Kernel) -> None:
    for hours, command in (
        (0, place()),
        (1, do.ApproveOrder(order_id="1")),
        (2, pay("P1", "31.5")),
    ):
        run(kernel, command, at=LONG_AGO + timedelta(hours=hours))
    catch_up(kernel, "read")
    seen = [ask(kernel, at=LONG_AGO + timedelta(hours=hours)) for hours in (0.5, 1.5, 2.5)]
    assert [each.version for each in seen] == [1, 2, 2]
    assert [len(each.then.payments) for each in seen if each.then] == [0, 0, 1]
    # By version, everything counts that was recorded before.
    assert then(kernel, version=2).payments == ()


def test_more_payments_take_no_more_statements(filled: Kernel) -> None:
    with statements() as few:
        ask(filled, version=5)
    run(filled, *(pay(f"Q{number}", "1") for number in range(5)))
    catch_up(filled, "read")
    with statements() as many:
        assert len(then(filled).payments) == 7
    assert len(many) == len(few)


def test_an_entry_without_a_position_yet_comes_after_every_version(kernel: Kernel) -> None:
    run(kernel, place(), do.ApproveOrder(order_id="1"))
    kernel.runner.advance(FulfilmentSubscription.name)
    run(kernel, SkipFulfilmentStep(order_id="1", step=Step.STOCK, reason="It is on the shelf."))
    with kernel.engines.write.begin() as connection:
        skipped = events.c.type == "FulfilmentStepSkipped"
        assert connection.execute(update(events).where(skipped).values(position=None)).rowcount
    assert len(ask(kernel, strong=True, version=1).timeline) == 1


def test_a_payment_counts_for_the_order_that_it_belonged_to(filled: Kernel) -> None:
    run(filled, place("2"), MovePayment(payment_id="P1", order_id="2", reason="Wrong order."))
    catch_up(filled, "read")
    assert [each.payment_id for each in then(filled, version=3).payments] == ["P1"]
    assert [each.payment_id for each in then(filled).payments] == ["P2"]
    assert [each.payment_id for each in then(filled, order_id="2").payments] == ["P1"]


def test_a_strong_answer_has_the_orders_events_alone(filled: Kernel) -> None:
    run(filled, do.AddOrderNote(order_id="1", note="Third."))
    found = ask(filled, strong=True).then
    assert found
    assert (len(found.notes), found.payments, found.stock) == (3, (), ())


def test_erased_personal_data_is_erased_in_the_past_too(kernel: Kernel) -> None:
    run(kernel, RegisterCustomer(customer_id="C1", name="Anna", email="anna@example.org"))
    run(kernel, place(customer_id="C1"), do.ChangeShippingAddress(order_id="1", address=YORK))
    run(kernel, EraseCustomer(customer_id="C1", reason="Asked for it in writing."))
    catch_up(kernel, "read")
    order = then(kernel, version=1).order
    assert (order.customer_name, order.shipping_address.line1) == (ERASED, ERASED)
    assert (order.total, order.customer_id) == (Decimal("31.50"), "C1")


def damage(kernel: Kernel, stream: str, version: int) -> None:
    broken = update(events).where(events.c.stream == stream, events.c.version == version)
    with kernel.engines.write.begin() as connection:
        connection.execute(broken.values(payload='{"damaged'))


def test_versions_before_a_damaged_event_are_shown(filled: Kernel) -> None:
    damage(filled, "order-1", 5)
    found = ask(filled, version=4)
    assert found.then
    assert found.then.order.shipping_address.city == "York"
    assert found.now is None
    with pytest.raises(Refused, match="version 5 of order-1, is damaged"):
        ask(filled, version=5)


def test_a_damaged_payment_is_named_and_hides_nothing_else(filled: Kernel) -> None:
    damage(filled, "payment-P1", 1)
    found = then(filled, version=5)
    assert found.unreadable == ("P1",)
    assert [each.payment_id for each in found.payments] == ["P2"]


def test_an_order_of_many_lines_is_whole(kernel: Kernel) -> None:
    run(kernel, place(count=5_000), do.RejectOrder(order_id="1", reason="Too much."))
    catch_up(kernel, "read")
    found = ask(kernel, version=1)
    assert found.then
    assert found.now
    assert len(found.then.order.lines) == len(found.now.order.lines) == 5_000
    assert found.then.order.total == Decimal("157500.00")


def test_only_one_point_can_be_asked_for() -> None:
    with pytest.raises(Invalid, match="one of version, position and time"):
        GetOrderAt(order_id="1", version=1, position=1)
