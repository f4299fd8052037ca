"""How orders, refunds and credit are counted in the figures of the reports: see sales.py."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import msgspec
from sqlalchemy import Table

from cqrs_app.areas.customers.events import CustomerMerged
from cqrs_app.areas.desk.projections.merged import kept, merge
from cqrs_app.areas.desk.read_models import (
    customer_days,
    product_days,
    sales_days,
    sales_of_merged,
    sales_orders,
    sales_payments,
)
from cqrs_app.areas.orders.amounts import part_of, value_of
from cqrs_app.areas.orders.events import (
    CreditNoteRecorded,
    OrderAssigned,
    OrderedLine,
    OrderLinesChanged,
    OrderPlaced,
    RemainingItemsCancelled,
)
from cqrs_app.kernel import Key, Row, Rows
from cqrs_app.standards.money import charged

Sold = tuple[str, int, Decimal]
"""One line, or one article in one order: SKU, units, value."""
Place = tuple[date, str, str]
"""Day, country, currency: the first parts of every figure's key."""

_ZERO = Decimal(0)
_DAY = MappingProxyType(
    {
        "orders": 0,
        "revenue": _ZERO,
        "refunded": _ZERO,
        "cancelled_orders": 0,
        "cancelled_value": _ZERO,
        "credit_notes": 0,
        "credited": _ZERO,
    }
)
_CUSTOMER = MappingProxyType({"orders": 0, "revenue": _ZERO, "refunded": _ZERO, "credited": _ZERO})
_PAID = MappingProxyType({"captured": _ZERO, "refunded": _ZERO})


def count_order(event: OrderPlaced, place: Place, rows: Rows) -> None:
    """A new order, and refunds of it that were recorded earlier."""
    sold = list(map(_sold, event.lines))
    customer_id = kept(sales_of_merged, event.customer_id, rows)
    rows.put(
        sales_orders,
        order_id=event.order_id,
        day=place[0],
        country=place[1],
        currency=event.currency,
        customer_id=customer_id,
        total=event.total,
        refunded=_ZERO,
        cancelled=False,
        products=msgspec.json.encode(sold).decode(),
    )
    _count(rows, sales_days, place, _DAY, orders=1, revenue=event.total)
    _sell(rows, place, customer_id, event.total, _by_article(sold), 1)
    _count_refund(event.order_id, event.currency, rows)


def count_credit(event: CreditNoteRecorded, place: Place, rows: Rows) -> None:
    """A credit note."""
    _count(rows, sales_days, place, _DAY, credit_notes=1, credited=event.amount)
    if event.customer_id:
        key = (*place, kept(sales_of_merged, event.customer_id, rows))
        _count(rows, customer_days, key, _CUSTOMER, credited=event.amount)


def assign(event: OrderAssigned, rows: Rows) -> None:
    """An order that now belongs to another customer."""
    order = rows.change(sales_orders, event.order_id)
    place: Place = (order["day"], order["country"], order["currency"])
    counted = {"orders": 1, "revenue": order["total"], "refunded": order["refunded"]}
    new = kept(sales_of_merged, event.customer_id, rows)
    for customer_id, times in ((order["customer_id"], -1), (new, 1)):
        if customer_id and not order["cancelled"]:
            amounts = {name: times * amount for name, amount in counted.items()}
            _count(rows, customer_days, (*place, customer_id), _CUSTOMER, **amounts)
    order["customer_id"] = new


def merge_customer(event: CustomerMerged, rows: Rows) -> None:
    """Move everything counted for a merged customer to the one that is kept."""
    merge(sales_of_merged, event, rows)
    for order in rows.where(sales_orders, customer_id=event.customer_id):
        order["customer_id"] = event.into
    for day in rows.where(customer_days, customer_id=event.customer_id):
        key = (day["day"], day["country"], day["currency"], event.into)
        _count(rows, customer_days, key, _CUSTOMER, **{name: day[name] for name in _CUSTOMER})
        day.update(_CUSTOMER)


def take_back(order_id: str, rows: Rows) -> None:
    """An order that was cancelled or rejected."""
    order = rows.change(sales_orders, order_id)
    place = _place_of(order)
    total = order["total"]
    sold = [each for each in _by_article(_lines_of(order)) if each[1]]
    # The event only names the order, so its day, country and currency are read from the row.
    rows.preload((product_days, (*place, sku)) for sku, _, _ in sold)
    counted = {"revenue": -total, "cancelled_orders": 1, "cancelled_value": total}
    _count(rows, sales_days, place, _DAY, orders=-1, **counted)
    _sell(rows, place, order["customer_id"], total, sold, -1)
    order["products"], order["cancelled"] = "[]", True
    _count_refund(order_id, order["currency"], rows)


def take_part_back(event: RemainingItemsCancelled, rows: Rows) -> None:
    """The order still counts, with the items that have shipped."""
    order = rows.change(sales_orders, event.order_id)
    lines = _lines_of(order)
    for each in event.lines:
        sku, units, value = lines[each.line_no - 1]
        value -= part_of(value, each.quantity, units)
        lines[each.line_no - 1] = (sku, units - each.quantity, value)
    _count(rows, sales_days, _place_of(order), _DAY, cancelled_value=event.amount)
    _resell(order, lines, -event.amount, rows)


def count_changed_lines(event: OrderLinesChanged, rows: Rows) -> None:
    """The order counts with its present lines, on the day it was placed."""
    order = rows.change(sales_orders, event.order_id)
    lines = _lines_of(order)
    for each in event.lines:
        sku = lines[each.line_no - 1][0]
        lines[each.line_no - 1] = (sku, each.quantity, value_of(each))
    lines += map(_sold, event.added)
    _resell(order, lines, event.difference, rows)


def count_payment(order_id: str, currency: str, rows: Rows, **amount: Decimal) -> None:
    """What was `captured` or `refunded` for an order, which may not exist."""
    rows.add(sales_payments, (order_id, currency), **{**_PAID, **amount})
    _count_refund(order_id, currency, rows)


def _count_refund(order_id: str, currency: str, rows: Rows) -> None:
    """Update the refunded amount of an order wherever it is counted."""
    paid, order = rows.get(sales_payments, order_id, currency), rows.get(sales_orders, order_id)
    if paid is None or order is None or order["currency"] != currency:
        return
    refunded = _ZERO if order["cancelled"] else _refunded(order["total"], currency, paid)
    more = refunded - order["refunded"]
    if not more:
        return
    place = _place_of(order)
    rows.change(sales_orders, order_id)["refunded"] = refunded
    _count(rows, sales_days, place, _DAY, refunded=more)
    if order["customer_id"]:
        _count(rows, customer_days, (*place, order["customer_id"]), _CUSTOMER, refunded=more)


def _refunded(total: Decimal, currency: str, paid: Row) -> Decimal:
    """Refunds of an order's total; refunds of an overpayment never were revenue."""
    overpaid = max(paid["captured"] - charged(total, currency), _ZERO)
    refunded: Decimal = min(max(paid["refunded"] - overpaid, _ZERO), total)
    return refunded


def _sell(
    rows: Rows, place: Place, customer_id: str, total: Decimal, sold: Iterable[Sold], times: int
) -> None:
    """Count an order's customer and articles; `times=-1` takes them off again."""
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


def _resell(order: Row, lines: list[Sold], more: Decimal, rows: Rows) -> None:
    """Count an order that still counts with other lines, and `more` as its value."""
    place = _place_of(order)
    before = {sku: (units, value) for sku, units, value in _by_article(_lines_of(order))}
    rows.preload((product_days, (*place, sku)) for sku in {*before, *(line[0] for line in lines)})
    _count(rows, sales_days, place, _DAY, revenue=more)
    if order["customer_id"]:
        _count(rows, customer_days, (*place, order["customer_id"]), _CUSTOMER, revenue=more)
    for sku, units, value in _by_article(lines):
        had, was_worth = before.get(sku, (0, _ZERO))
        counted = {"orders": bool(units) - bool(had), "units": units - had}
        rows.add(product_days, (*place, sku), **counted, revenue=value - was_worth)
    order["total"] += more
    order["products"] = msgspec.json.encode(lines).decode()
    _count_refund(order["order_id"], order["currency"], rows)


def _place_of(order: Row) -> Place:
    return order["day"], order["country"], order["currency"]


def _sold(line: OrderedLine) -> Sold:
    return line.sku, line.quantity, value_of(line)


def _lines_of(order: Row) -> list[Sold]:
    return msgspec.json.decode(order["products"], type=list[Sold])


def _by_article(lines: Iterable[Sold]) -> list[Sold]:
    units: dict[str, int] = defaultdict(int)
    values: dict[str, Decimal] = defaultdict(Decimal)
    for sku, quantity, value in lines:
        units[sku] += quantity
        values[sku] += value
    return [(sku, units[sku], values[sku]) for sku in units]
