"""Customers as their orders and credit notes show them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection

from cqrs_app.areas.desk.queries.customers import (
    SORTS,
    GetCustomer,
    ListCustomers,
    get_customer,
    list_customers,
)
from cqrs_app.areas.orders import commands as do
from cqrs_app.areas.orders.types import CreditedLine
from cqrs_app.areas.orders.words import CancelReason
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.events.recorded import Recorded
from tests.areas.desk.history import START, History
from tests.areas.orders.given import line, place
from tests.paging import all_pages

TEN = line(quantity=4, price="2.5")


def credit(number: str, customer_id: str, amount: str) -> do.RecordCreditNote:
    lines = (CreditedLine(sku="D", quantity=2, unit_price=Decimal(amount)),)
    return do.RecordCreditNote(
        credit_note_id=number,
        customer_id=customer_id,
        country="Ireland",
        currency="GBP",
        reason="Broken",
        lines=lines,
    )


@pytest.fixture(scope="module")
def log() -> Sequence[Recorded]:
    history = History()
    names = ["Zoë O'Neill", "50%_off Ltd", "Łukasz", "", "Anna", "anna"]
    for number, name in enumerate(names):
        for count in range(number % 3 + 1):
            order_id = f"{number}-{count}"
            at = START + timedelta(days=count)
            history.run(place(order_id, TEN, customer_id=f"C.{number}", customer_name=name), at)
    history.run(place("guest", TEN, customer_id=""))
    history.run(place("euro", TEN, customer_id="C.2", currency="EUR", customer_name="Łukasz"))
    history.run(do.CancelOrder(order_id="2-0", reason=CancelReason.FRAUD))
    history.run(do.RejectOrder(order_id="2-1", reason="no"))
    history.run(credit("CN1", "C.2", "7.5"))
    history.run(credit("CN2", "C.2", "100"), START + timedelta(days=1))
    history.run(credit("CN3", "only-credit", "1"))
    history.run(credit("CN4", "", "1"))
    return history.recorded


def listed(connection: Connection, **question: Any) -> list[tuple[str, str]]:
    def page_after(mark: str) -> Any:
        return list_customers(ListCustomers(**question, after=mark), connection)

    pages = all_pages(page_after(""), page_after)
    return [(row.customer_id, row.currency) for page in pages for row in page.rows]


def test_a_customer_with_accounts_and_credit_notes(shop: Connection) -> None:
    view = get_customer(GetCustomer(customer_id="C.2"), shop)
    assert view is not None
    assert (view.name, view.country) == ("Łukasz", "United Kingdom")
    pounds = next(account for account in view.accounts if account.currency == "GBP")
    assert (pounds.orders, pounds.placed_value, pounds.cancelled_value) == (3, 30, 20)
    assert (pounds.credit_notes, pounds.credited) == (2, 215)
    assert (pounds.first_order_at, pounds.last_order_at) == (START, START + timedelta(days=2))
    assert [account.currency for account in view.accounts] == ["GBP", "EUR"]
    assert [(note.credit_note_id, note.amount) for note in view.credit_notes] == [
        ("CN2", 200),
        ("CN1", 15),
    ]
    assert view.credit_notes[1].lines[0].unit_price == Decimal("7.5")


def test_a_customer_known_from_a_credit_note_only(shop: Connection) -> None:
    view = get_customer(GetCustomer(customer_id="only-credit"), shop)
    assert view is not None
    assert (view.country, view.accounts[0].orders, view.accounts[0].credited) == ("Ireland", 0, 2)


def test_guests_are_no_customers(shop: Connection) -> None:
    assert "" not in {customer_id for customer_id, _ in listed(shop)}
    assert get_customer(GetCustomer(customer_id="nobody"), shop) is None


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("limit", [1, 3, 200])
def test_pages_show_every_account_once(
    shop: Connection, sort: str, descending: bool, limit: int
) -> None:
    rows = listed(shop, sort=sort, descending=descending, limit=limit)
    assert len(set(rows)) == len(rows) == 8


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("zoe", {"C.0"}),
        ("neill", {"C.0"}),
        ("eill", set()),
        ("ANN", {"C.4", "C.5"}),
        ("lukasz", {"C.2"}),
        ("łuk", {"C.2"}),
        ("50% off", {"C.1"}),
        ("%", set()),
        ("_", set()),
        ("c.3", {"C.3"}),
        ("only", {"only-credit"}),
        ("\x01'\"\\", set()),
    ],
)
def test_customers_are_found_by_beginnings_of_words(
    shop: Connection, written: str, expected: set[str]
) -> None:
    assert {customer_id for customer_id, _ in listed(shop, q=written)} == expected


def test_a_mark_of_another_order_does_not_fit(shop: Connection) -> None:
    page = list_customers(ListCustomers(limit=1), shop)
    with pytest.raises(Invalid):
        ListCustomers(sort="name", after=page.next)
