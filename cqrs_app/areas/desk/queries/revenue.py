"""Revenue, refunds, credit and average order, by day, country or currency."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from msgspec import Meta
from sqlalchemy import Connection, Row, func, select

from cqrs_app.areas.desk.queries.sales import Listed, SalesFilters, grouped, place_of
from cqrs_app.areas.desk.read_models import sales_days
from cqrs_app.areas.orders.commands import VIEW
from cqrs_app.kernel import Limit, Page, Query, Sort, query

_AVERAGE = Decimal("0.0001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Revenue:
    """What was sold and credited in one currency; exact but for the average.

    `day` and `country` are the group's, empty where groups have none. `orders`, `revenue` and
    `refunded` are without the orders cancelled or rejected since, which stand apart; all count on
    the day the order was placed. `credited` counts on the day of the credit. Refunds and credit are
    positive numbers; `net` is the revenue less both. `average_order` has four digits and is empty
    without orders.
    """

    day: date | None
    country: str
    currency: str
    orders: int
    revenue: Decimal
    average_order: Decimal | None
    refunded: Decimal
    cancelled_orders: int
    cancelled_value: Decimal
    credit_notes: int
    credited: Decimal
    net: Decimal


@query(label="Revenue", permission=VIEW, reads=("sales",), cached=True)
class RevenueReport(SalesFilters):
    """Revenue, refunds, credit and average order, always apart by currency: by day, the oldest
    first, or by country or currency, the highest revenue first."""

    by: Annotated[Literal["day", "country", "currency"], Meta(title="By")] = "day"
    limit: Limit = 25

    def check(self) -> Iterator[tuple[str, str]]:
        yield from _listed(self).problems(self)


def revenue_report(question: RevenueReport, connection: Connection) -> Page[Revenue]:
    return _listed(question).page(connection, _revenue)


def _listed(question: RevenueReport) -> Listed:
    by = tuple(dict.fromkeys((question.by, "currency")))
    sums = grouped(sales_days, by, question)
    ties = tuple(sums.c[name] for name in by)
    by_day = question.by == "day"
    return Listed(
        found=select(sums),
        sort=Sort(ties, date) if by_day else Sort((sums.c.revenue, *ties), Decimal),
        place=place_of(question, question.by, descending=not by_day),
    )


def _revenue(row: Row[Any]) -> Revenue:
    figures: dict[str, Any] = {"day": None, "country": "", **row._mapping}
    orders, revenue = row.orders, row.revenue
    return Revenue(
        **figures,
        average_order=(revenue / orders).quantize(_AVERAGE) if orders else None,
        net=revenue - row.refunded - row.credited,
    )


@query(label="Last day of sales", permission=VIEW, reads=("sales",), cached=True)
class LastSalesDay(Query):
    """The last business day with a sale or a credit; None if there is none."""


def last_sales_day(question: LastSalesDay, connection: Connection) -> date | None:
    day: date | None = connection.execute(select(func.max(sales_days.c.day))).scalar()
    return day
