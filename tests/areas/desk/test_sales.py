"""The reports' figures are what the orders and credit notes come to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from sqlalchemy import Connection

from cqrs_app.areas.desk import DESK
from cqrs_app.areas.desk.queries.best import (
    TopCustomers,
    TopProducts,
    top_customers,
    top_products,
)
from cqrs_app.areas.desk.queries.credit_notes import ListCreditNotes, list_credit_notes
from cqrs_app.areas.desk.queries.order_list import ListOrders, list_orders
from cqrs_app.areas.desk.queries.refunds import ListRefundedOrders, list_refunded_orders
from cqrs_app.areas.desk.queries.revenue import (
    LastSalesDay,
    RevenueReport,
    last_sales_day,
    revenue_report,
)
from cqrs_app.areas.desk.read_models import (
    credit_notes,
    customer_days,
    order_lines,
    orders,
    product_days,
    sales_days,
)
from cqrs_app.areas.inventory import INVENTORY
from cqrs_app.areas.inventory.commands import AddProduct, RenameProduct
from cqrs_app.areas.orders import ORDERS
from cqrs_app.areas.orders import commands as do
from cqrs_app.areas.orders.amounts import part_of
from cqrs_app.areas.orders.types import ShippedLine
from cqrs_app.areas.orders.words import CancelReason, OrderStatus
from cqrs_app.areas.payments import events as paid_events
from cqrs_app.areas.payments import payments_area
from cqrs_app.kernel import testing
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.events.recorded import Recorded
from cqrs_app.kernel.registry import Registry
from tests.areas.desk.history import START, History, fold, project
from tests.areas.desk.shop import histories
from tests.areas.desk.test_customers import credit
from tests.areas.desk.test_projections import cancelled_of
from tests.areas.orders.given import line, place
from tests.paging import all_pages

LOST = (OrderStatus.CANCELLED, OrderStatus.REJECTED)
KEPT = tuple(each for each in OrderStatus if each not in LOST)
DAY = START.date()


SHOP = Registry([ORDERS, DESK, INVENTORY, payments_area()])


class MoneyHistory(testing.History):
    """A shop's history with its products and payments."""

    def __init__(self) -> None:
        super().__init__(SHOP, START)

    def pay(self, what: str, order_id: str, amount: str, at: datetime) -> None:
        """Something was captured, recorded or refunded, in pounds."""
        values: dict[str, Any] = {"payment_id": f"P{order_id}", "order_id": order_id}
        values |= {"amount": Decimal(amount), "currency": "GBP", "gateway": "g", "reference": "r"}
        event = {
            "captured": lambda: paid_events.PaymentCaptured(request_no=1, **values),
            "refunded": lambda: paid_events.PaymentRefunded(request_no=1, **values),
            "recorded": lambda: paid_events.PaymentRecorded(method="cash", note="", **values),
        }[what]()
        self.record(f"payment-P{order_id}", [event], at)

    def move(self, amount: str, from_order_id: str, order_id: str) -> None:
        """A payment counts for another order from now on."""
        moved = paid_events.PaymentMoved(
            payment_id=f"P{from_order_id}",
            order_id=order_id,
            from_order_id=from_order_id,
            amount=Decimal(amount),
            currency="GBP",
            gateway="g",
            reason="It was for the other order.",
        )
        self.record(f"payment-P{from_order_id}", [moved], START + timedelta(days=9))


def counted(rows: Iterable[dict[str, Any]], *names: str) -> dict[tuple[Any, ...], list[Any]]:
    """Place and further key -> figures that are not nothing."""
    return {
        tuple(value for name, value in row.items() if name not in names): [
            row[name] for name in names
        ]
        for row in rows
        if any(row[name] for name in names)
    }


def without_refunds(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The same of a history without payments."""
    for row in rows:
        assert row["refunded"] == 0
        yield {name: value for name, value in row.items() if name != "refunded"}


@settings(deadline=None, max_examples=150)
@given(histories())
def test_figures_are_a_recount_of_orders_and_credit_notes(history: History) -> None:
    rows = fold(history.recorded)
    days: dict[Any, list[Any]] = defaultdict(lambda: [0, 0, 0, 0, 0, 0])
    products: dict[Any, list[Any]] = defaultdict(lambda: [set(), 0, 0])
    customers: dict[Any, list[Any]] = defaultdict(lambda: [0, 0, 0])
    lines = rows.all(order_lines)
    for order in rows.all(orders):
        at = (order["placed_day"], order["country"], order["currency"])
        lost = order["status"] in LOST
        day = days[at]
        day[2 if lost else 0] += 1
        day[3 if lost else 1] += order["total"]
        day[3] += cancelled_of(rows, order)
        if lost:
            continue
        if order["customer_id"]:
            customers[*at, order["customer_id"]][0] += 1
            customers[*at, order["customer_id"]][1] += order["total"]
        for each in lines:
            if each["order_id"] == order["order_id"]:
                cancelled = each["cancelled_quantity"]
                if cancelled < each["quantity"]:
                    product = products[*at, each["sku"]]
                    product[0].add(order["order_id"])
                    product[1] += each["quantity"] - cancelled
                    product[2] += each["amount"] - part_of(
                        each["amount"], cancelled, each["quantity"]
                    )
    for note in rows.all(credit_notes):
        at = (note["credited_at"].date(), note["country"], note["currency"])
        days[at][4] += 1
        days[at][5] += note["amount"]
        if note["customer_id"]:
            customers[*at, note["customer_id"]][2] += note["amount"]
    figures = ("orders", "revenue", "cancelled_orders", "cancelled_value")
    found = counted(without_refunds(rows.all(sales_days)), *figures, "credit_notes", "credited")
    assert found == dict(days)
    found = counted(rows.all(product_days), "orders", "units", "revenue")
    assert found == {key: [len(ids), *rest] for key, (ids, *rest) in products.items()}
    found = counted(without_refunds(rows.all(customer_days)), "orders", "revenue", "credited")
    assert found == {key: value for key, value in customers.items() if any(value)}


@pytest.fixture(scope="module")
def log() -> Sequence[Recorded]:
    """Four days, two currencies, a cancelled and a rejected order, credit beyond the days."""
    history = History()

    def placed(number: int, days: int, *lines: Any, **rest: Any) -> None:
        history.run(place(str(number), *lines, **rest), START + timedelta(days=days))

    cup, mug = line("CUP", 2, "2.505", what="Cup"), line("mug_1", 3, "1", what="Mug")
    placed(1, 0, cup, mug, cup, customer_id="A", customer_name="Ana")
    placed(2, 0, mug, customer_id="", country="France")
    placed(3, 1, mug, customer_id="B", currency="EUR")
    placed(4, 1, cup, customer_id="A", country="France")
    placed(5, 3, line("CUP", 100, "2.5", what="Big cup"), customer_id="B")
    placed(6, 3, line("gone", 1, "7"), customer_id="C")
    history.run(do.CancelOrder(order_id="5", reason=CancelReason.FRAUD), START + timedelta(days=9))
    history.run(do.RejectOrder(order_id="6", reason="no"), START + timedelta(days=9))
    history.run(credit("CN1", "A", "0.5"), START + timedelta(days=1))
    history.run(credit("CN2", "", "3"), START + timedelta(days=5))
    return history.recorded


def report(connection: Connection, **asked: Any) -> list[tuple[Any, ...]]:
    return [
        (row.day or row.country, row.currency, row.orders, row.revenue, row.credited, row.net)
        for row in every(revenue_report, RevenueReport(**asked), connection)
    ]


def every(answer: Any, question: Any, connection: Connection) -> Iterator[Any]:
    """The rows of all pages."""
    first = answer(question, connection)
    for page in all_pages(first, lambda mark: answer(replace(question, after=mark), connection)):
        yield from page.rows


def money(*amounts: str) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, amounts))


@pytest.mark.parametrize("limit", [1, 2, 25])
def test_revenue_by_day_is_apart_by_currency_and_the_oldest_first(
    shop: Connection, limit: int
) -> None:
    assert report(shop, limit=limit) == [
        (DAY, "GBP", 2, *money("16.02", "0", "16.02")),
        (DAY + timedelta(days=1), "EUR", 1, *money("3", "0", "3")),
        (DAY + timedelta(days=1), "GBP", 1, *money("5.01", "1", "4.01")),
        (DAY + timedelta(days=3), "GBP", 0, *money("0", "0", "0")),
        (DAY + timedelta(days=5), "GBP", 0, *money("0", "6", "-6")),
    ]


@pytest.mark.parametrize("limit", [1, 2, 25])
def test_revenue_by_country_is_the_highest_first(shop: Connection, limit: int) -> None:
    assert report(shop, by="country", limit=limit) == [
        ("United Kingdom", "GBP", 1, *money("13.02", "0", "13.02")),
        ("France", "GBP", 2, *money("8.01", "0", "8.01")),
        ("United Kingdom", "EUR", 1, *money("3", "0", "3")),
        ("Ireland", "GBP", 0, *money("0", "7", "-7")),
    ]


def test_the_whole_has_an_average_and_what_was_cancelled(shop: Connection) -> None:
    pounds, euros = revenue_report(RevenueReport(by="currency"), shop).rows
    assert (pounds.currency, pounds.orders, pounds.revenue) == ("GBP", 3, Decimal("21.03"))
    assert pounds.average_order == Decimal("7.01")
    assert (pounds.cancelled_orders, pounds.cancelled_value) == (2, Decimal(257))
    assert (pounds.credit_notes, pounds.credited) == (2, Decimal(7))
    assert (euros.currency, euros.average_order) == ("EUR", Decimal(3))
    (nothing,) = revenue_report(
        RevenueReport(by="currency", day_from=DAY + timedelta(days=3)), shop
    ).rows
    assert nothing.average_order is None


def test_filters_choose_days_country_and_currency(shop: Connection) -> None:
    one = {"day_from": DAY + timedelta(days=1), "day_to": DAY + timedelta(days=1)}
    assert [row[1] for row in report(shop, **one)] == ["EUR", "GBP"]
    assert [row[3] for row in report(shop, **one, country="France")] == [Decimal("5.01")]
    assert [row[3] for row in report(shop, currency="EUR", by="country")] == [Decimal(3)]
    assert report(shop, day_from=DAY + timedelta(days=6)) == []


@pytest.mark.parametrize("limit", [1, 2, 10])
@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("revenue", ["CUP GBP", "mug_1 GBP", "mug_1 EUR"]),
        ("units", ["mug_1 GBP", "CUP GBP", "mug_1 EUR"]),
        ("orders", ["mug_1 GBP", "CUP GBP", "mug_1 EUR"]),
    ],
)
def test_what_sold_best(shop: Connection, limit: int, sort: Any, expected: list[str]) -> None:
    found = list(every(top_products, TopProducts(sort=sort, limit=limit), shop))
    assert [f"{row.sku} {row.currency}" for row in found] == expected
    cups = next(row for row in found if row.sku == "CUP")
    assert (cups.orders, cups.units, cups.revenue) == (2, 6, Decimal("15.03"))
    assert cups.description == "Big cup"


@pytest.mark.parametrize("limit", [1, 2, 10])
@pytest.mark.parametrize("sort", ["revenue", "net", "orders"])
def test_who_bought_most(shop: Connection, limit: int, sort: Any) -> None:
    found = list(every(top_customers, TopCustomers(sort=sort, limit=limit), shop))
    assert (found[0].customer_id, found[0].name, found[0].orders) == ("A", "Ana", 2)
    assert (found[0].revenue, found[0].net) == money("18.03", "17.03")
    assert {(row.customer_id, row.currency) for row in found} == {("A", "GBP"), ("B", "EUR")}


def test_credit_notes_are_listed_the_newest_first(shop: Connection) -> None:
    def listed(**asked: Any) -> list[str]:
        found = every(list_credit_notes, ListCreditNotes(limit=1, **asked), shop)
        return [row.credit_note_id for row in found]

    assert listed() == ["CN2", "CN1"]
    assert listed(customer_id="A") == listed(day_to=DAY + timedelta(days=1)) == ["CN1"]
    assert listed(day_from=DAY + timedelta(days=2)) == ["CN2"]
    assert listed(country="Ireland", currency="GBP") == ["CN2", "CN1"]
    assert listed(country="France") == listed(currency="EUR") == []


def test_every_figure_is_what_the_rows_behind_it_come_to(shop: Connection) -> None:
    for row in every(revenue_report, RevenueReport(by="country"), shop):
        meant: dict[str, Any] = {"country": row.country, "currency": row.currency}
        kept = list_orders(ListOrders(status=KEPT, **meant), shop).rows
        lost = list_orders(ListOrders(status=LOST, **meant), shop).rows
        assert (row.orders, row.revenue) == (len(kept), sum(each.total for each in kept))
        assert (row.cancelled_orders, row.cancelled_value) == (
            len(lost),
            sum(each.total for each in lost),
        )
        notes = list_credit_notes(ListCreditNotes(**meant), shop).rows
        assert (row.credit_notes, row.credited) == (len(notes), sum(each.amount for each in notes))
    for product in every(top_products, TopProducts(), shop):
        asked = ListOrders(status=KEPT, sku=product.sku, currency=product.currency)
        assert len(list_orders(asked, shop).rows) == product.orders


def refunded_shop(connection: Connection, *paid: tuple[str, str, str]) -> History:
    """Two orders of 100 by Ana; `paid` are "captured", "recorded" or "refunded", of which order
    and how much."""
    history = MoneyHistory()
    for number in ("1", "2"):
        history.run(place(number, line("CUP", 1, "100"), customer_id="A"))
    for number, (what, order_id, amount) in enumerate(paid):
        history.pay(what, order_id, amount, START + timedelta(days=number))
    project(connection, history.recorded)
    return history


@pytest.mark.parametrize(
    ("paid", "refunded"),
    [
        ([("captured", "1", "100"), ("refunded", "1", "30")], "30"),
        ([("recorded", "1", "100"), ("refunded", "1", "100")], "100"),
        # Paid twice and given back once: nothing of the order's own price.
        ([("captured", "1", "100"), ("recorded", "1", "100"), ("refunded", "1", "100")], "0"),
        ([("captured", "1", "100"), ("refunded", "1", "100"), ("captured", "1", "100")], "0"),
        ([("captured", "1", "120"), ("refunded", "1", "50")], "30"),
        ([("refunded", "1", "500")], "100"),
        ([("captured", "404", "100"), ("refunded", "404", "100")], "0"),
        ([("captured", "1", "100"), ("refunded", "1", "40"), ("refunded", "2", "5")], "45"),
    ],
)
def test_net_revenue_is_less_what_was_refunded(
    connection: Connection, paid: list[tuple[str, str, str]], refunded: str
) -> None:
    refunded_shop(connection, *paid)
    (whole,) = revenue_report(RevenueReport(by="currency"), connection).rows
    assert (whole.revenue, whole.refunded) == money("200", refunded)
    assert whole.net == Decimal(200) - Decimal(refunded)
    (day,) = revenue_report(RevenueReport(), connection).rows
    assert (day.day, day.refunded) == (DAY, Decimal(refunded))
    (ana,) = top_customers(TopCustomers(), connection).rows
    assert (ana.refunded, ana.net) == (whole.refunded, whole.net)
    behind = list_refunded_orders(ListRefundedOrders(customer_id="A"), connection).rows
    assert sum(row.refunded for row in behind) == Decimal(refunded)


def test_a_cancelled_order_is_in_no_revenue_and_its_refund_in_no_refunds(
    connection: Connection,
) -> None:
    history = refunded_shop(connection, ("captured", "1", "100"), ("refunded", "1", "60"))
    before = len(history.recorded)
    history.run(do.CancelOrder(order_id="1", reason=CancelReason.FRAUD))
    history.pay("refunded", "1", "40", START + timedelta(days=3))
    project(connection, history.recorded[before:])
    (whole,) = revenue_report(RevenueReport(by="currency"), connection).rows
    assert (whole.revenue, whole.refunded, whole.net) == money("100", "0", "100")
    assert list_refunded_orders(ListRefundedOrders(), connection).rows == ()


def test_what_is_refunded_of_items_that_were_cancelled_is_in_no_refunds(
    connection: Connection,
) -> None:
    history = MoneyHistory()
    history.run(place("1", line("CUP", 1, "60"), line("MUG", 1, "40")))
    history.run(do.ApproveOrder(order_id="1"))
    history.run(do.ShipOrder(order_id="1", lines=(ShippedLine(line_no=1, quantity=1),)))
    history.pay("captured", "1", "100", START)
    history.pay("refunded", "1", "45", START)
    history.run(do.CancelRemainingItems(order_id="1", reason=CancelReason.OUT_OF_STOCK))
    project(connection, history.recorded)
    (whole,) = revenue_report(RevenueReport(by="currency"), connection).rows
    # 40 of the refund is for the mug, which is in no revenue any more.
    assert (whole.revenue, whole.refunded, whole.net) == money("60", "5", "55")


def test_a_payment_that_comes_before_its_order_counts_with_it(connection: Connection) -> None:
    history = MoneyHistory()
    history.pay("captured", "1", "100", START)
    history.pay("refunded", "1", "10", START)
    history.run(place("1", line("CUP", 1, "100")))
    project(connection, history.recorded)
    (whole,) = revenue_report(RevenueReport(by="currency"), connection).rows
    assert whole.refunded == Decimal(10)


def test_money_that_was_moved_counts_for_the_other_order(connection: Connection) -> None:
    history = MoneyHistory()
    for number in ("1", "2"):
        history.run(place(number, line("CUP", 1, "100"), customer_id="A"))
    history.pay("captured", "1", "150", START)
    history.move("150", "1", "2")
    # Refunded of the order that has the money now, of which 50 was beyond its total.
    history.pay("refunded", "2", "60", START + timedelta(days=10))
    project(connection, history.recorded)
    (whole,) = revenue_report(RevenueReport(by="currency"), connection).rows
    assert whole.refunded == Decimal(10)
    (behind,) = list_refunded_orders(ListRefundedOrders(), connection).rows
    assert (behind.order_id, behind.refunded) == ("2", Decimal(10))


def test_a_refund_in_another_currency_is_not_of_this_order(connection: Connection) -> None:
    history = MoneyHistory()
    history.run(place("1", line("CUP", 1, "100"), currency="EUR"))
    history.pay("refunded", "1", "10", START)
    project(connection, history.recorded)
    (whole,) = revenue_report(RevenueReport(by="currency"), connection).rows
    assert whole.refunded == 0


def test_a_product_is_called_by_its_own_name_whatever_orders_call_it(
    connection: Connection,
) -> None:
    history = MoneyHistory()
    history.run(place("1", line("CUP", 1, "9", what="big cup"), line("TEA", 1, "8", what="tea")))
    history.run(AddProduct(sku="CUP", description="Cup"))
    history.run(AddProduct(sku="TEA"))
    project(connection, history.recorded)

    def names() -> list[str]:
        return [row.description for row in top_products(TopProducts(), connection).rows]

    assert names() == ["Cup", "tea"]
    before = len(history.recorded)
    history.run(RenameProduct(sku="CUP", description="Cup, large"))
    history.run(place("2", line("CUP", 1, "9", what="cup (new)")), START + timedelta(days=1))
    project(connection, history.recorded[before:])
    assert names() == ["Cup, large", "tea"]


def test_orders_are_found_by_exactly_this_article(shop: Connection) -> None:
    def found(sku: str) -> set[str]:
        return {row.order_id for row in list_orders(ListOrders(sku=sku), shop).rows}

    assert found("CUP") == {"1", "4", "5"}
    assert found("cup") == found("CU") == set()


@pytest.mark.parametrize("written", ["Zürich-Land", "ZÜRICH-LAND", "zürich-land"])
def test_what_no_country_is_called_is_found_whatever_its_capitals(
    connection: Connection, written: str
) -> None:
    history = MoneyHistory()
    history.run(place("1", customer_id="A", country="zürich-LAND"), history=True)
    history.run(place("2", customer_id="A", country="Ireland"), history=True)
    noted = replace(credit("CN1", "A", "1"), country="ZÜRICH-land")
    history.run(noted, history=True)
    history.pay("refunded", "1", "1", START)
    project(connection, history.recorded)
    assert [row.order_id for row in list_orders(ListOrders(country=written), connection).rows] == [
        "1"
    ]
    (row,) = revenue_report(RevenueReport(by="country", country=written), connection).rows
    assert (row.orders, row.credit_notes, row.country) == (1, 1, "Zürich-land")
    for listed, question in (
        (list_credit_notes, ListCreditNotes(country=written)),
        (list_refunded_orders, ListRefundedOrders(country=written)),
        (top_customers, TopCustomers(country=written)),
        (top_products, TopProducts(country=written, limit=1)),
    ):
        assert len(listed(question, connection).rows) == 1  # type: ignore[operator]


def test_the_last_day_of_all(shop: Connection) -> None:
    assert last_sales_day(LastSalesDay(), shop) == DAY + timedelta(days=5)


def test_an_empty_shop_has_no_figures(connection: Connection) -> None:
    assert last_sales_day(LastSalesDay(), connection) is None
    assert report(connection) == report(connection, by="currency") == []
    assert top_products(TopProducts(), connection).rows == ()
    assert top_customers(TopCustomers(), connection).rows == ()


@pytest.mark.parametrize("kind", [RevenueReport, TopProducts, TopCustomers, ListCreditNotes])
def test_what_cannot_be_asked(kind: Any) -> None:
    for asked in (
        {"day_from": date(2010, 12, 2), "day_to": date(2010, 12, 1)},
        {"day_from": date(999, 1, 1)},
        {"currency": "pounds"},
        {"after": "edited"},
        {"limit": 0},
    ):
        with pytest.raises(Invalid):
            kind(**asked)
