"""Compares the reports on imported invoices with figures computed from their file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from cqrs_app.areas.desk.queries.best import TopCustomers, TopProducts
from cqrs_app.areas.desk.queries.revenue import RevenueReport
from cqrs_app.installed_areas import ROLES
from cqrs_app.kernel.assembly import Kernel
from cqrs_app.kernel.commands.context import Actor
from cqrs_app.kernel.queries.context import QueryContext
from cqrs_app.standards.countries import country_name
from tests.paging import all_pages

VIEWER = QueryContext(actor=Actor("ana", ROLES["viewer"]))


def assert_reports(
    kernel: Kernel, truth: Mapping[str, Any], rows: Iterable[Mapping[str, str]]
) -> None:
    """By day, by country, in total, the top ten: every figure, to the last digit."""
    money = truth["money_GBP"]
    (whole,) = _every(kernel, RevenueReport(by="currency"))
    assert (whole.orders, whole.credit_notes) == (
        truth["distinct"]["sale_invoices"],
        truth["distinct"]["invoices_C"],
    )
    assert whole.revenue == Decimal(money["gross_sale_rows"])
    assert -whole.credited == Decimal(money["cancelled_C_rows"])
    assert whole.net == Decimal(money["net_after_cancellations"])
    assert {
        row.country: [row.orders, row.credit_notes, row.revenue, row.net]
        for row in _every(kernel, RevenueReport(by="country"))
    } == {
        country_name(country): [orders, notes, Decimal(gross), Decimal(net)]
        for country, orders, notes, _, gross, net in truth["by_country"]
    }
    by_day = _every(kernel, RevenueReport())
    assert {row.day: (row.orders, row.revenue, row.credited) for row in by_day} == days_of(rows)
    best = _first(kernel, TopProducts())
    expected = truth["top10_products_sale_revenue_all_codes"]
    assert [(row.sku, row.revenue) for row in best] == _money(expected)
    best = _first(kernel, TopProducts(sort="units"))
    assert [(row.sku, row.units) for row in best] == [
        (sku, units) for sku, _, units in truth["top10_products_sale_quantity"]
    ]
    best = _first(kernel, TopCustomers())
    assert [(row.customer_id, row.revenue) for row in best] == _money(
        truth["top10_customers_gross"]
    )
    best = _first(kernel, TopCustomers(sort="net"))
    assert [(row.customer_id, row.net) for row in best] == _money(truth["top10_customers_net"])


def days_of(rows: Iterable[Mapping[str, str]]) -> dict[date, tuple[int, Decimal, Decimal]]:
    """Orders, sales and credits by the day of each invoice's first row, computed from the file."""
    day_of: dict[str, date] = {}
    invoices: dict[date, set[str]] = defaultdict(set)
    amounts: dict[date, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for row in rows:
        invoice = row["InvoiceNo"]
        units, price = int(row["Quantity"]), Decimal(row["UnitPrice"])
        credit = invoice.startswith("C")
        if not credit and not (invoice.isdigit() and units > 0 and price > 0):
            continue
        day = day_of.setdefault(invoice, date.fromisoformat(row["InvoiceDate"][:10]))
        amounts[day][credit] += abs(units) * price
        if not credit:
            invoices[day].add(invoice)
    return {day: (len(invoices[day]), *found) for day, found in amounts.items()}  # type: ignore[misc]


def _money(expected: Iterable[list[str]]) -> list[tuple[str, Decimal]]:
    return [(row[0], Decimal(row[-1])) for row in expected]


def _first(kernel: Kernel, question: Any) -> tuple[Any, ...]:
    rows: tuple[Any, ...] = kernel.queries.ask(question, VIEWER).value.rows
    return rows


def _every(kernel: Kernel, question: Any) -> Iterator[Any]:
    def page_after(mark: str) -> Any:
        return kernel.queries.ask(replace(question, after=mark), VIEWER).value

    for page in all_pages(kernel.queries.ask(question, VIEWER).value, page_after):
        yield from page.rows
