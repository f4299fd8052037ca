"""Two numbers of one person become one: orders, accounts, reports, new orders, and the erasure."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from cqrs_app.areas.customers import commands as customers
from cqrs_app.areas.customers.queries import GetCustomerProfile
from cqrs_app.areas.customers.receipt import ErasureReceipt, owned_by
from cqrs_app.areas.desk.queries.best import TopCustomers
from cqrs_app.areas.desk.queries.customers import GetCustomer, ListCustomers
from cqrs_app.areas.desk.queries.one_order import GetOrder
from cqrs_app.areas.desk.queries.order_list import ListOrders
from cqrs_app.areas.orders import commands as do
from cqrs_app.areas.orders.types import CreditedLine
from cqrs_app.areas.orders.words import CancelReason
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.bus import CommandBus
from cqrs_app.kernel.commands.context import Actor, Context
from cqrs_app.kernel.commands.middleware import HISTORY
from cqrs_app.kernel.errors import Refused
from cqrs_app.kernel.messages.messages import Event
from cqrs_app.kernel.privacy.personal import ERASED
from cqrs_app.kernel.store.tables import subject_keys
from cqrs_app.platform.runtime.pending import RawEvents
from tests.areas.customers.test_erasure import (
    ANA,
    WHY,
    ask,
    catch_up,
    found,
    order,
    run,
    texts_of,
)

EMAIL = "quintessa@zabriskie.example"
TABLES = ("orders", "order_texts", "customer_accounts", "customer_days", "credit_notes")
TABLES += ("sales_orders", "customer_profiles", "order_timeline")


@pytest.fixture
def shop(kernel: Kernel) -> Kernel:
    """Two numbers of one person, each with an order, and a third customer."""
    name = "Quintessa Zabriskie"
    run(kernel, customers.RegisterCustomer(customer_id="C1", name=name, email=EMAIL))
    for number in ("C2", "C3"):
        run(kernel, customers.RegisterCustomer(customer_id=number, name=name))
    run(kernel, order("1"))
    run(kernel, order("2", customer_id="C2"))
    line = CreditedLine(sku="A", quantity=1, unit_price=2)
    run(
        kernel,
        do.RecordCreditNote(
            credit_note_id="N1", customer_id="C1", country="Spain", currency="EUR", lines=(line,)
        ),
    )
    return kernel


def merge(kernel: Kernel, customer_id: str = "C1", into: str = "C2") -> None:
    run(kernel, customers.MergeCustomers(customer_id=customer_id, into=into))
    catch_up(kernel)


@pytest.mark.parametrize("before", [True, False], ids=["projected before", "projected after"])
def test_what_was_the_duplicates_is_the_kept_ones(shop: Kernel, before: bool) -> None:
    if before:
        catch_up(shop)
    merge(shop)
    rows = ask(shop, ListOrders(customer_id="C2", sort="order_id")).rows
    assert [row.order_id for row in rows] == ["2", "1"]
    kept = ask(shop, GetCustomer(customer_id="C2"))
    assert [(each.orders, each.placed_value, each.credited) for each in kept.accounts] == [
        (2, 10, 2)
    ]
    assert [each.credit_note_id for each in kept.credit_notes] == ["N1"]
    assert ask(shop, GetCustomer(customer_id="C1")) is None
    assert [row.customer_id for row in ask(shop, ListCustomers()).rows] == ["C2"]
    (best,) = ask(shop, TopCustomers()).rows
    assert (best.customer_id, best.orders, best.revenue, best.credited) == ("C2", 2, 10, 2)
    assert ask(shop, GetCustomerProfile(customer_id="C1")).merged_into == "C2"


def test_what_happens_to_an_order_of_the_duplicate_counts_for_the_kept_one(shop: Kernel) -> None:
    merge(shop)
    run(shop, do.CancelOrder(order_id="1", reason=CancelReason.OTHER))
    catch_up(shop)
    (account,) = ask(shop, GetCustomer(customer_id="C2")).accounts
    assert (account.orders, account.placed_value, account.cancelled_value) == (2, 10, 5)
    (best,) = ask(shop, TopCustomers()).rows
    assert (best.customer_id, best.orders, best.revenue) == ("C2", 1, 5)


def test_a_new_order_for_the_duplicate_is_the_kept_ones(shop: Kernel) -> None:
    merge(shop)
    merge(shop, "C2", "C3")
    run(shop, order("4"))
    catch_up(shop)
    assert ask(shop, GetOrder(order_id="4"), strong=True).customer_id == "C3"
    assert len(ask(shop, ListOrders(customer_id="C3")).rows) == 3
    importer = Actor("ana", ANA.permissions | {HISTORY})
    long_ago = Context(actor=importer, channel="test", occurred_at=shop.clock())
    shop.commands.execute(order("5"), long_ago)
    catch_up(shop)
    assert ask(shop, GetOrder(order_id="5")).customer_id == "C3"


def test_the_duplicates_address_is_free_and_nothing_else_is_done_with_it(shop: Kernel) -> None:
    merge(shop)
    run(shop, customers.ChangeCustomerEmail(customer_id="C2", email=EMAIL))
    for command in (
        customers.UpdateCustomerProfile(customer_id="C1", name="X"),
        customers.EraseCustomer(customer_id="C1", reason=WHY),
        customers.MergeCustomers(customer_id="C1", into="C3"),
    ):
        with pytest.raises(Refused) as refused:
            run(shop, command)
        assert refused.value.sentence == (
            "Customer C1 was merged into C2. Nothing was changed. Use customer C2."
        )


@pytest.mark.parametrize(
    ("into", "why"),
    [("C9", "is not registered"), ("C3", "was erased"), ("C2", "was merged into C1")],
)
def test_nobody_is_merged_into_a_customer_who_cannot_be_kept(
    shop: Kernel, into: str, why: str
) -> None:
    run(shop, customers.EraseCustomer(customer_id="C3", reason=WHY))
    merge(shop, "C2", "C1")
    with pytest.raises(Refused, match=why):
        merge(shop, "C1", into)


@pytest.mark.parametrize("into", ["C1", "C3"])
def test_nobody_is_merged_into_a_customer_who_is_merged_meanwhile(
    shop: Kernel, monkeypatch: pytest.MonkeyPatch, into: str
) -> None:
    read, merged = CommandBus._past, []

    def past(bus: CommandBus, stream: str) -> tuple[Event, ...]:
        found = read(bus, stream)
        if stream == "customer-C2" and not merged:
            merged.append(into)
            merge(shop, "C2", into)
        return found

    monkeypatch.setattr(CommandBus, "_past", past)
    with pytest.raises(Refused, match=f"was merged into {into}"):
        merge(shop)
    assert ask(shop, GetCustomerProfile(customer_id="C1")).merged_into == ""


def test_the_receipt_of_one_that_others_were_merged_into_proves_that_no_address_is_held(
    shop: Kernel,
) -> None:
    merge(shop)
    run(shop, customers.EraseCustomer(customer_id="C2", reason=WHY))
    assert ask(shop, ErasureReceipt(customer_id="C2")).claims == 0


def test_erasing_the_kept_one_erases_all_that_is_known_of_the_person(shop: Kernel) -> None:
    run(shop, order("6", customer_id=""))
    run(shop, do.AssignOrderToCustomer(order_id="6", customer_id="C1"))
    merge(shop)
    merge(shop, "C2", "C3")
    kept = sorted(each for each in texts_of(shop.engines.read) if each[0] in TABLES)
    assert "Zabriskie" in str(kept)
    run(shop, customers.EraseCustomer(customer_id="C3", reason=WHY))
    catch_up(shop)
    with shop.engines.write.connect() as connection:
        owned = set(connection.execute(owned_by("customer-C3")).scalars())
        assert owned == {"customer-C1", "customer-C2", "customer-C3", "order-6"}
        columns = subject_keys.c
        left = select(columns.subject).where(columns.wrapped.is_not(None))
        assert not set(connection.execute(left).scalars()) & owned
    assert ask(shop, ErasureReceipt(customer_id="C3")).keys == 0
    for number in ("1", "2", "6"):
        assert ask(shop, GetOrder(order_id=number)).customer_name == ERASED
        assert "Xylophonweg" not in str(ask(shop, RawEvents(stream=f"order-{number}")))
    assert found(shop) == set()


def test_a_rebuild_gives_the_same_rows_also_after_the_erasure(shop: Kernel) -> None:
    catch_up(shop)
    merge(shop)
    run(shop, customers.EraseCustomer(customer_id="C2", reason=WHY))
    catch_up(shop)
    kept = sorted(each for each in texts_of(shop.engines.read) if each[0] in TABLES)
    for name in ("orders", "customers", "sales", "customer_profiles", "order_timeline"):
        shop.runner.rebuild(name, lambda *_: None)
    assert sorted(each for each in texts_of(shop.engines.read) if each[0] in TABLES) == kept
