"""What the read models hold of an import: totals of exactly the named orders and credit notes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from msgspec import Meta
from sqlalchemy import Connection, func, select

from cqrs_app.areas.desk.read_models import credit_notes, order_flags, order_lines, orders
from cqrs_app.areas.orders.types import CreditNoteId
from cqrs_app.areas.types import OrderId
from cqrs_app.kernel import Query, query
from cqrs_app.kernel.effects import HISTORY

IDS_AT_ONCE = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedTotals:
    """Orders, their lines, and credit notes that are there; all amounts are positive, and in
    `currency`, which is empty where there are several.

    `orders_by_currency` and `total_by_currency` are the orders and `total` by currency; `lines` and
    `credit_lines` say how many lines each order and credit note has, by its number;
    `sold` is what their lines come to by SKU, `total` what the orders cost with all charges;
    `customers` are those with an order, `credited_customers` those with a credit note; `statuses`
    and `flags` count orders by where they stand, and flags by task and code, such as
    “ShipOrder.already_shipped”.
    """

    orders: int
    lines: Mapping[str, int]
    statuses: Mapping[str, int]
    flags: Mapping[str, int]
    flagged_orders: int
    currency: str
    orders_by_currency: Mapping[str, int]
    total_by_currency: Mapping[str, Decimal]
    sold: Mapping[str, Decimal]
    total: Decimal
    credit_lines: Mapping[str, int]
    guests: int
    customers: frozenset[str]
    credit_notes: int
    credited: Decimal
    credited_customers: frozenset[str]


@query(
    label="Import totals",
    permission=HISTORY,
    reads=("orders", "customers"),
)
class ImportTotals(Query):
    """Only these ids are counted; ids that do not exist are missing from the counts."""

    order_ids: Annotated[tuple[OrderId, ...], Meta(max_length=IDS_AT_ONCE)] = ()
    credit_note_ids: Annotated[tuple[CreditNoteId, ...], Meta(max_length=IDS_AT_ONCE)] = ()


def import_totals(question: ImportTotals, connection: Connection) -> ImportedTotals:
    order, line, note, flag = orders.c, order_lines.c, credit_notes.c, order_flags.c
    meant = question.order_ids
    found = select(
        order.order_id,
        order.customer_id,
        order.line_count,
        order.status,
        order.flags,
        order.currency,
        order.total,
    ).where(order.order_id.in_(meant))
    placed = connection.execute(found).all()
    # Added up from the lines, so that an order whose total disagrees with its lines shows.
    sold = (
        select(line.sku, func.sum(line.amount)).where(line.order_id.in_(meant)).group_by(line.sku)
    )
    counted = (
        select(flag.task, flag.code, func.count())
        .where(flag.order_id.in_(meant))
        .group_by(flag.task, flag.code)
    )
    noted = select(
        note.credit_note_id, note.customer_id, note.line_count, note.amount, note.currency
    ).where(note.credit_note_id.in_(question.credit_note_ids))
    notes = connection.execute(noted).all()
    currencies = {each.currency for each in (*placed, *notes)}
    totals: dict[str, Decimal] = {}
    for each in placed:
        totals[each.currency] = totals.get(each.currency, Decimal(0)) + each.total
    return ImportedTotals(
        orders=len(placed),
        lines={each.order_id: each.line_count for each in placed},
        statuses=Counter(each.status for each in placed),
        flags={f"{task}.{code}": count for task, code, count in connection.execute(counted)},
        flagged_orders=sum(each.flags > 0 for each in placed),
        currency=currencies.pop() if len(currencies) == 1 else "",
        orders_by_currency=Counter(each.currency for each in placed),
        total_by_currency=totals,
        sold=dict(connection.execute(sold).all()),
        total=sum(totals.values(), Decimal(0)),
        guests=sum(not each.customer_id for each in placed),
        customers=frozenset(each.customer_id for each in placed if each.customer_id),
        credit_notes=len(notes),
        credit_lines={each.credit_note_id: each.line_count for each in notes},
        credited=sum((each.amount for each in notes), Decimal(0)),
        credited_customers=frozenset(each.customer_id for each in notes if each.customer_id),
    )
