"""What was sold and credited, by day, country and currency: the figures of the reports.

An order counts on the day it was placed until it is cancelled or rejected, and from then on as
cancelled on that same day; so do remaining items that were cancelled. A credit note counts on the
day of the credit. So every figure is a sum over orders or notes that a list can show. Days are
business days.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, ClassVar

import msgspec
from sqlalchemy import Table

from cqrs_app.areas.orders.events import (
    CreditNoteRecorded,
    OrderCancelled,
    OrderPlaced,
    OrderRejected,
    PricedLine,
    RemainingItemsCancelled,
)
from cqrs_app.areas.orders.read_models import (
    customer_days,
    product_days,
    sales_days,
    sales_orders,
    sold_products,
)
from cqrs_app.kernel import Key, Projection, Recorded, Row, Rows
from cqrs_app.standards.countries import country_name

Sold = tuple[str, int, Decimal]
"""Of one line, or one article in one order: its SKU, units, value."""
Place = tuple[date, str, str]
"""Day, country, currency: how the key of every figure begins."""

_ZERO = Decimal(0)
_DAY = MappingProxyType(
    {
        "orders": 0,
        "revenue": _ZERO,
        "cancelled_orders": 0,
        "cancelled_value": _ZERO,
        "credit_notes": 0,
        "credited": _ZERO,
    }
)
_CUSTOMER = MappingProxyType({"orders": 0, "revenue": _ZERO, "credited": _ZERO})


class SalesProjection(Projection):
    name: ClassVar[str] = "sales"
    by_day: ClassVar[bool] = True
    version: ClassVar[int] = 3
    tables: ClassVar[tuple[Table, ...]] = (
        sales_days,
        product_days,
        customer_days,
        sold_products,
        sales_orders,
    )

    def touched(self, recorded: Recorded) -> Iterator[tuple[Table, Key]]:
        event: Any = recorded.event
        if isinstance(event, OrderCancelled | OrderRejected | RemainingItemsCancelled):
            yield sales_orders, (event.order_id,)
            return
        place = _place(event, recorded)
        yield sales_days, place
        if event.customer_id:
            yield customer_days, (*place, event.customer_id)
        if isinstance(event, OrderPlaced):
            for sku in {line.sku for line in event.lines}:
                yield product_days, (*place, sku)
                yield sold_products, (sku,)

    def order_placed(self, event: OrderPlaced, recorded: Recorded, rows: Rows) -> None:
        place, sold = _place(event, recorded), _sold_on(event.lines)
        rows.put(
            sales_orders,
            order_id=event.order_id,
            day=place[0],
            country=place[1],
            currency=event.currency,
            customer_id=event.customer_id,
            total=event.total,
            products=msgspec.json.encode(sold).decode(),
        )
        _describe(event, recorded, rows)
        _count(rows, sales_days, place, _DAY, orders=1, revenue=event.total)
        _sell(rows, place, event.customer_id, event.total, _by_article(sold), 1)

    def order_rejected(self, event: OrderRejected, recorded: Recorded, rows: Rows) -> None:
        _take_back(event.order_id, rows)

    def order_cancelled(self, event: OrderCancelled, recorded: Recorded, rows: Rows) -> None:
        _take_back(event.order_id, rows)

    def remaining_items_cancelled(
        self, event: RemainingItemsCancelled, recorded: Recorded, rows: Rows
    ) -> None:
        _take_part_back(event, rows)

    def credit_note_recorded(
        self, event: CreditNoteRecorded, recorded: Recorded, rows: Rows
    ) -> None:
        place = _place(event, recorded)
        _count(rows, sales_days, place, _DAY, credit_notes=1, credited=event.amount)
        if event.customer_id:
            key = (*place, event.customer_id)
            _count(rows, customer_days, key, _CUSTOMER, credited=event.amount)


def _take_back(order_id: str, rows: Rows) -> None:
    order = rows.change(sales_orders, order_id)
    place: Place = (order["day"], order["country"], order["currency"])
    total = order["total"]
    sold = [each for each in _by_article(_lines_of(order)) if each[1]]
    # An order is told here by its number only, so what it counted in could not be named earlier.
    rows.preload((product_days, (*place, sku)) for sku, _, _ in sold)
    counted = {"revenue": -total, "cancelled_orders": 1, "cancelled_value": total}
    _count(rows, sales_days, place, _DAY, orders=-1, **counted)
    _sell(rows, place, order["customer_id"], total, sold, -1)
    order["products"] = "[]"


def _take_part_back(event: RemainingItemsCancelled, rows: Rows) -> None:
    """The order counts on, with what of it has shipped."""
    order = rows.change(sales_orders, event.order_id)
    place: Place = (order["day"], order["country"], order["currency"])
    lines = _lines_of(order)
    before = _by_article(lines)
    rows.preload((product_days, (*place, sku)) for sku, _, _ in before)
    for each in event.lines:
        sku, units, value = lines[each.line_no - 1]
        value -= value * each.quantity / units
        lines[each.line_no - 1] = (sku, units - each.quantity, value)
    counted = {"revenue": -event.amount, "cancelled_value": event.amount}
    _count(rows, sales_days, place, _DAY, **counted)
    if order["customer_id"]:
        key = (*place, order["customer_id"])
        _count(rows, customer_days, key, _CUSTOMER, revenue=-event.amount)
    for (sku, units, value), (_, left, worth) in zip(before, _by_article(lines), strict=True):
        amounts = {"orders": 0 if left else -1, "units": left - units, "revenue": worth - value}
        rows.add(product_days, (*place, sku), **amounts)
    order["total"] -= event.amount
    order["products"] = msgspec.json.encode(lines).decode()


def _sell(
    rows: Rows, place: Place, customer_id: str, total: Decimal, sold: Iterable[Sold], times: int
) -> None:
    """Count an order's customer and articles, or with -1 for `times` take them back."""
    if customer_id:
        key = (*place, customer_id)
        _count(rows, customer_days, key, _CUSTOMER, orders=times, revenue=times * total)
    for sku, units, value in sold:
        amounts = {"orders": times, "units": times * units, "revenue": times * value}
        rows.add(product_days, (*place, sku), **amounts)


def _count(
    rows: Rows, table: Table, key: Key, nothing: MappingProxyType[str, Any], **amounts: Any
) -> None:
    rows.add(table, key, **{**nothing, **amounts})


def _describe(event: OrderPlaced, recorded: Recorded, rows: Rows) -> None:
    """The newest order has the word on what an article is called, in whatever order they came."""
    at = recorded.occurred_at
    for line in event.lines:
        known = rows.get(sold_products, line.sku)
        if known is None or (line.description and _is_news(known, at)):
            rows.put(sold_products, sku=line.sku, description=line.description, described_at=at)


def _is_news(known: Row, at: datetime) -> bool:
    return not known["description"] or at >= known["described_at"]


def _sold_on(lines: Iterable[PricedLine]) -> list[Sold]:
    return [(line.sku, line.quantity, line.quantity * line.unit_price) for line in lines]


def _lines_of(order: Row) -> list[Sold]:
    return msgspec.json.decode(order["products"], type=list[Sold])


def _by_article(lines: Iterable[Sold]) -> list[Sold]:
    units: dict[str, int] = defaultdict(int)
    values: dict[str, Decimal] = defaultdict(Decimal)
    for sku, quantity, value in lines:
        units[sku] += quantity
        values[sku] += value
    return [(sku, units[sku], values[sku]) for sku in units]


def _place(event: OrderPlaced | CreditNoteRecorded, recorded: Recorded) -> Place:
    return recorded.day, country_name(event.country), event.currency
