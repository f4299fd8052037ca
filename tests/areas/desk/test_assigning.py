"""An order that is assigned to a customer: in the list, the accounts, the reports, and erased."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import select

from cqrs_app.areas.customers import commands as customers
from cqrs_app.areas.desk.queries.customers import GetCustomer
from cqrs_app.areas.desk.queries.one_order import GetOrder
from cqrs_app.areas.desk.queries.order_list import ListOrders
from cqrs_app.areas.desk.queries.timeline import OrderTimeline
from cqrs_app.areas.desk.read_models import customer_days
from cqrs_app.areas.orders import commands as do
from cqrs_app.areas.orders.types import BillingAddress, OrderLine, ShippedLine
from cqrs_app.areas.orders.words import CancelReason
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.bus import CommandBus
from cqrs_app.kernel.commands.context import Context
from cqrs_app.kernel.commands.middleware import HISTORY
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.privacy.personal import ERASED
from cqrs_app.kernel.privacy.vault import Vault
from cqrs_app.kernel.store.tables import subject_keys
from cqrs_app.platform.runtime.pending import RawEvents
from tests.areas.customers.test_erasure import (
    ADDRESS,
    ANA,
    WHY,
    ask,
    catch_up,
    found,
    order,
    run,
    texts_of,
)

NAME = "Quintessa Zabriskie"


@pytest.fixture
def shop(kernel: Kernel) -> Kernel:
    """Two customers, and a guest's order under the name of one of them."""
    run(kernel, customers.RegisterCustomer(customer_id="C1", name=NAME))
    run(kernel, customers.RegisterCustomer(customer_id="C2", name="Ben"))
    run(kernel, order("1", customer_id="", billing_address=BillingAddress(city="Xylophonweg")))
    run(kernel, do.ChangeShippingAddress(order_id="1", address=ADDRESS), "address")
    return kernel


def assign(kernel: Kernel, order_id: str, customer_id: str, **rest: str) -> None:
    run(
        kernel,
        do.AssignOrderToCustomer(order_id=order_id, customer_id=customer_id, **rest),
    )
    catch_up(kernel)


def test_a_tracking_number_is_found_although_a_former_name_had_the_same_word(shop: Kernel) -> None:
    run(shop, order("2", customer_id="", customer_name="Ann 4711"))
    historian = replace(ANA, permissions=ANA.permissions | {HISTORY})
    for command in (do.ApproveOrder(order_id="2"), do.ShipOrder(order_id="2", tracking="4711")):
        past = Context(actor=historian, channel="test", occurred_at=shop.clock())
        shop.commands.execute(command, past)
    assign(shop, "2", "C2", customer_name="Ben")
    assert [row.order_id for row in ask(shop, ListOrders(q="4711")).rows] == ["2"]
    assert ask(shop, ListOrders(q="Ann")).rows == ()


def test_a_guests_order_becomes_the_customers_with_its_money(shop: Kernel) -> None:
    assign(shop, "1", "C1")
    (row,) = ask(shop, ListOrders(customer_id="C1")).rows
    assert (row.order_id, row.customer_name) == ("1", NAME)
    (account,) = ask(shop, GetCustomer(customer_id="C1")).accounts
    assert (account.orders, account.placed_value, account.name) == (1, 5, NAME)
    view = ask(shop, GetOrder(order_id="1"))
    assert (view.shipping_address.city, view.billing_address.city) == ("Ulm", "Xylophonweg")
    assert [each.order_id for each in ask(shop, ListOrders(q="c1")).rows] == ["1"]


def test_an_order_leaves_the_customer_it_was_wrongly_assigned_to(shop: Kernel) -> None:
    assign(shop, "1", "C2")
    assert ask(shop, GetOrder(order_id="1")).customer_name == "Ben"
    assign(shop, "1", "C1")
    assert not ask(shop, ListOrders(customer_id="C2")).rows
    (account,) = ask(shop, GetCustomer(customer_id="C2")).accounts
    assert (account.orders, account.placed_value) == (0, 0)
    with shop.engines.read.connect() as connection:
        columns = customer_days.c
        sold = select(columns.customer_id, columns.orders, columns.revenue)
        assert sorted(map(tuple, connection.execute(sold))) == [("C1", 1, 5), ("C2", 0, 0)]
    assert not ask(shop, ListOrders(q="ben")).rows


def test_what_was_cancelled_of_an_order_leaves_with_it(shop: Kernel) -> None:
    line = OrderLine(sku="85123A", quantity=3, unit_price=Decimal(5))
    run(shop, replace(order("2", customer_id="C2"), lines=(line,)))
    historian = replace(ANA, permissions=ANA.permissions | {HISTORY})
    shipped = (ShippedLine(line_no=1, quantity=1),)
    for command in (
        do.ApproveOrder(order_id="2"),
        do.ShipOrder(order_id="2", lines=shipped),
        do.CancelRemainingItems(order_id="2", reason=CancelReason.CUSTOMER_REQUEST),
    ):
        past = Context(actor=historian, channel="test", occurred_at=shop.clock())
        shop.commands.execute(command, past)
    assign(shop, "2", "C1")
    cancelled = {
        customer_id: ask(shop, GetCustomer(customer_id=customer_id)).accounts[0].cancelled_value
        for customer_id in ("C1", "C2")
    }
    assert cancelled == {"C1": 10, "C2": 0}


def test_erasing_the_customer_erases_what_was_recorded_of_the_guest(shop: Kernel) -> None:
    assign(shop, "1", "C1")
    run(shop, do.ChangeBillingAddress(order_id="1", address=BillingAddress(city="Xylophonweg")))
    catch_up(shop)
    before = ask(shop, RawEvents(stream="order-1"))
    assert "Xylophonweg" in str(before)
    run(shop, customers.EraseCustomer(customer_id="C1", reason=WHY))
    catch_up(shop)
    assert "Xylophonweg" not in str(ask(shop, RawEvents(stream="order-1")))
    view = ask(shop, GetOrder(order_id="1"))
    assert {view.customer_name, view.shipping_address.line1, view.billing_address.city} == {ERASED}
    assert "Zabriskie" not in str(ask(shop, OrderTimeline(order_id="1")))
    assert found(shop) == set()


def test_a_rebuild_after_the_erasure_gives_the_same_rows(shop: Kernel) -> None:
    assign(shop, "1", "C2")
    assign(shop, "1", "C1")
    run(shop, do.ChangeShippingAddress(order_id="1", address=ADDRESS))
    run(shop, customers.EraseCustomer(customer_id="C1", reason=WHY))
    catch_up(shop)
    tables = ("orders", "order_texts", "order_timeline", "customer_accounts", "customer_days")
    kept = sorted(each for each in texts_of(shop.engines.read) if each[0] in tables)
    for name in ("orders", "order_timeline", "customers", "sales"):
        shop.runner.rebuild(name, lambda *_: None)
    assert sorted(each for each in texts_of(shop.engines.read) if each[0] in tables) == kept


def test_erasing_the_former_customer_leaves_the_order_to_its_own(shop: Kernel) -> None:
    run(shop, order("2", customer_id="C2"))
    assign(shop, "2", "C1")
    run(shop, customers.EraseCustomer(customer_id="C2", reason=WHY))
    catch_up(shop)
    assert ask(shop, GetOrder(order_id="2")).shipping_address.line1 == "Xylophonweg 7"
    shop.runner.rebuild("orders", lambda *_: None)
    assert ask(shop, GetOrder(order_id="2")).shipping_address.line1 == "Xylophonweg 7"


def test_what_was_recorded_of_the_guest_goes_along_to_the_next_customer(shop: Kernel) -> None:
    assign(shop, "1", "C2")
    assign(shop, "1", "C1")
    run(shop, customers.EraseCustomer(customer_id="C2", reason=WHY))
    placed, *_ = ask(shop, RawEvents(stream="order-1"))
    assert "Xylophonweg" in str(placed)
    run(shop, customers.EraseCustomer(customer_id="C1", reason=WHY))
    assert "Xylophonweg" not in str(ask(shop, RawEvents(stream="order-1")))


def test_nothing_is_assigned_to_a_customer_who_was_erased(shop: Kernel) -> None:
    run(shop, customers.EraseCustomer(customer_id="C1", reason=WHY))
    with pytest.raises(Refused, match="erased"):
        assign(shop, "1", "C1")
    assert ask(shop, GetOrder(order_id="1"), strong=True).customer_id == ""


def test_an_order_is_not_assigned_to_the_customer_it_has(shop: Kernel) -> None:
    assign(shop, "1", "C1")
    with pytest.raises(Refused) as refused:
        assign(shop, "1", "C1")
    assert refused.value.code == "same_customer"


def test_the_name_that_was_given_counts(shop: Kernel) -> None:
    assign(shop, "1", "C1", customer_name="Q. Zabriskie, c/o Ben")
    assert ask(shop, GetOrder(order_id="1")).customer_name == "Q. Zabriskie, c/o Ben"


def test_an_order_assigned_while_its_customer_is_erased_is_erased_too(
    shop: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    assign(shop, "1", "C1")
    owned_by, asked = Vault.owned_by, []

    def not_yet(vault: Vault, owner: str) -> list[str]:
        asked.append(owner)
        return owned_by(vault, owner) if len(asked) > 1 else []

    monkeypatch.setattr(Vault, "owned_by", not_yet)
    run(shop, customers.EraseCustomer(customer_id="C1", reason=WHY))
    catch_up(shop)
    assert asked == ["customer-C1"] * 2
    assert "Xylophonweg" not in str(ask(shop, RawEvents(stream="order-1")))


def test_an_address_that_changes_meanwhile_is_taken_along(
    shop: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, changed = CommandBus._past, []

    def past(bus: CommandBus, stream: str) -> tuple[Event, ...]:
        found = read(bus, stream)
        if stream == "order-1" and not changed:
            changed.append(stream)
            new = replace(ADDRESS, line1="Elsewhere 9")
            run(shop, do.ChangeShippingAddress(order_id="1", address=new))
        return found

    monkeypatch.setattr(CommandBus, "_past", past)
    assign(shop, "1", "C1")
    assert changed
    assert ask(shop, GetOrder(order_id="1")).shipping_address.line1 == "Elsewhere 9"


def test_a_preview_of_an_assignment_writes_no_key_and_says_who_was_erased(shop: Kernel) -> None:
    def keys() -> set[str]:
        with shop.engines.write.connect() as connection:
            return set(connection.execute(select(subject_keys.c.subject)).scalars())

    before = keys()
    command = do.AssignOrderToCustomer(order_id="1", customer_id="C9")
    context = Context(actor=ANA, channel="test")
    assert shop.commands.preview(command, context)
    assert keys() == before
    run(shop, customers.EraseCustomer(customer_id="C1", reason=WHY))
    with pytest.raises(Refused, match="erased"):
        shop.commands.preview(replace(command, customer_id="C1"), context)
