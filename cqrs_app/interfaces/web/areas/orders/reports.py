"""Reports: what was sold and credited in a period, in one currency, and the rows behind it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from cqrs_app.areas.desk.queries.best import TopCustomers, TopProducts
from cqrs_app.areas.desk.queries.credit_notes import ListCreditNotes
from cqrs_app.areas.desk.queries.refunds import ListRefundedOrders
from cqrs_app.areas.desk.queries.revenue import LastSalesDay, Revenue, RevenueReport
from cqrs_app.areas.orders.words import OrderStatus
from cqrs_app.interfaces.web.ask import ask
from cqrs_app.interfaces.web.blueprint import bp
from cqrs_app.interfaces.web.charts import Chart, Series, Slot, bar_chart
from cqrs_app.interfaces.web.exports import downloads
from cqrs_app.interfaces.web.formats import formats_of
from cqrs_app.interfaces.web.listing import asked, asked_here, chips, here, turning
from cqrs_app.interfaces.web.zones import business_day
from cqrs_app.kernel.errors import Invalid
from cqrs_app.kernel.messages.messages import Query
from cqrs_app.kernel.queries.paging import LARGEST_PAGE
from cqrs_app.services import services
from cqrs_app.standards.money import charged

DAYS = 30
MOST_DAYS = 400
TOO_LONG = f"Choose at most {MOST_DAYS} days for one report."
PERIOD = {"day_from": "From", "day_to": "Until"}
FILTERS = {**PERIOD, "country": "Country", "currency": "Currency"}
LIST_FILTERS = {**FILTERS, "customer_id": "Customer number"}
LOST = ("cancelled", "rejected")
KEPT = tuple(each.value for each in OrderStatus if each.value not in LOST)


@dataclass(frozen=True, slots=True)
class Behind:
    """The URLs of the rows that a figure counts. `sales`: the filters of the report."""

    sales: dict[str, str]

    def orders(self, **more: str) -> str:
        return self._orders(KEPT, more)

    def cancelled(self, **more: str) -> str:
        return self._orders(LOST, more)

    def credit(self, **more: str) -> str:
        return url_for("web.credit_notes", **(self.sales | more))  # type: ignore[arg-type]

    def refunds(self, **more: str) -> str:
        return url_for("web.refunded_orders", **(self.sales | more))  # type: ignore[arg-type]

    def _orders(self, status: tuple[str, ...], more: dict[str, str]) -> str:
        given: dict[str, Any] = self.sales | more
        days = {"placed_from": given.pop("day_from"), "placed_to": given.pop("day_to")}
        return url_for("web.orders", **days, **given, status=list(status))


@bp.get("/reports")
def reports() -> ResponseReturnValue:
    """The figures of a period: the last thirty days, or the days in the URL."""
    asked_for = _asked()
    whole = ask(replace(asked_for, currency="", by="currency"))
    currency = asked_for.currency or _main_currency(whole.value.rows)
    question = replace(asked_for, currency=currency)
    sales = _filters(question)
    return render_template(
        "reports/reports.html",
        question=question,
        whole=whole,
        total=next((row for row in whole.value.rows if row.currency == currency), None),
        others=[row for row in whole.value.rows if row.currency != currency],
        last_day=None if whole.value.rows else ask(LastSalesDay()).value,
        days_shown=DAYS,
        charged=charged,
        here=lambda **changed: here("web.reports", **changed),
        behind=Behind(sales),
        chips=chips("web.reports", FILTERS),
        **_panels(question, sales),
    )


@bp.get("/credit-notes")
def credit_notes() -> ResponseReturnValue:
    """One page of the credit notes that match."""
    shown = _listed(ListCreditNotes, "web.credit_notes")
    return render_template("credit_notes/credit_notes.html", **shown)


@bp.get("/refunded-orders")
def refunded_orders() -> ResponseReturnValue:
    """One page of the refunded orders that match."""
    shown = _listed(ListRefundedOrders, "web.refunded_orders")
    return render_template("reports/refunded_orders.html", **shown)


def _listed(cls: type[Query], endpoint: str) -> dict[str, Any]:
    """What a template needs of a list behind the figures, with the filters of the address."""
    question = asked_here(cls)
    answer = ask(question)
    return {
        "page": answer.value,
        "freshness": answer.freshness,
        "question": question,
        "downloads": downloads(cls),
        "chips": chips(endpoint, LIST_FILTERS),
        **turning(endpoint, answer.value, question.limit),
    }


def _panels(question: RevenueReport, sales: dict[str, str]) -> dict[str, Any]:
    if not question.currency:
        return {}
    by_day = ask(replace(question, by="day"))
    best: dict[str, Any] = {name: getattr(question, name) for name in FILTERS}
    asks: dict[str, Query] = {
        "by_country": replace(question, by="country"),
        "products": TopProducts(**best),
        "customers": TopCustomers(**best),
    }
    return {
        "by_day": by_day,
        "days_chart": _days_chart(question, by_day.value.rows, Behind(sales)),
        **{name: ask(each) for name, each in asks.items()},
        "files": {
            "by_day": downloads(RevenueReport, {**sales, "by": "day"}),
            "by_country": downloads(RevenueReport, {**sales, "by": "country"}),
            "products": downloads(TopProducts, sales),
            "customers": downloads(TopCustomers, sales),
        },
    }


def _asked() -> RevenueReport:
    """The query for this URL, with its days filled in. Raises Invalid in words of the page."""
    fixed = {"by": "day", "after": "", "before": "", "limit": LARGEST_PAGE}
    try:
        question: RevenueReport = asked(RevenueReport, **fixed)
    except Invalid as invalid:
        told = {FILTERS.get(name, name): text for name, text in invalid.problems.items()}
        raise Invalid("The address of this report", told) from invalid
    until = question.day_to or business_day()
    first = question.day_from or until - timedelta(days=DAYS - 1)
    if (until - first).days >= MOST_DAYS:
        raise Invalid("The address of this report", {"Until": TOO_LONG})
    # Days in the future hold nothing yet.
    return replace(question, day_from=first, day_to=max(first, until))


def _filters(question: RevenueReport) -> dict[str, str]:
    given = {name: getattr(question, name) for name in FILTERS}
    return {name: str(value) for name, value in given.items() if value}


def _main_currency(rows: tuple[Revenue, ...]) -> str:
    """The currency of most orders; a report never adds up two."""
    most = max(rows, key=lambda row: (row.orders, row.revenue), default=None)
    return most.currency if most else ""


def _days_chart(question: RevenueReport, rows: tuple[Revenue, ...], behind: Behind) -> Chart:
    """The revenue of each day, days without sales too."""
    assert question.day_from is not None and question.day_to is not None  # noqa: S101 - see _asked
    formats = formats_of(services.settings.locale)
    sold = {row.day: row.revenue for row in rows}
    count = (question.day_to - question.day_from).days + 1
    days = [question.day_from + timedelta(days=number) for number in range(count)]
    slots = [
        Slot(
            formats.day(day, "MMMEd"),
            formats.day(day, "MMMd"),
            behind.orders(day_from=day.isoformat(), day_to=day.isoformat()),
        )
        for day in days
    ]
    text = partial(formats.money, currency=question.currency)
    revenue = Series("Revenue", [sold.get(day, Decimal(0)) for day in days], text)
    return bar_chart(f"Revenue per day in {question.currency}", slots, revenue)
