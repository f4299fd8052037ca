"""What the read models hold of an import: the totals of exactly the orders and notes named."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from msgspec import Meta
from sqlalchemy import Connection, func, select

from cqrs_app.kernel.messages import Query, query
from cqrs_app.orders.read_models import credit_notes, order_lines, orders
from cqrs_app.orders.types import CreditNoteId, OrderId

IDS_AT_ONCE = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Orders, their lines, and credit notes that are there; both amounts are positive.

    `customers` are those with an order, `credited_customers` those with a credit note.
    """

    orders: int
    lines: int
    gross: Decimal
    guests: int
    customers: frozenset[str]
    credit_notes: int
    credit_lines: int
    credited: Decimal
    credited_customers: frozenset[str]


@query(label="Import totals", permission="history.record", reads=("orders", "customers"))
class ImportTotals(Query):
    """Only these ids are counted; those not there are missing from the counts."""

    order_ids: Annotated[tuple[OrderId, ...], Meta(max_length=IDS_AT_ONCE)] = ()
    credit_note_ids: Annotated[tuple[CreditNoteId, ...], Meta(max_length=IDS_AT_ONCE)] = ()


def import_totals(question: ImportTotals, connection: Connection) -> Totals:
    order_columns, line, note = orders.c, order_lines.c, credit_notes.c
    found = select(order_columns.customer_id).where(order_columns.order_id.in_(question.order_ids))
    buyers = connection.execute(found).scalars().all()
    # Added up from the lines: so an order whose total disagrees with them would show.
    summed = select(func.count(), func.sum(line.amount)).where(
        line.order_id.in_(question.order_ids)
    )
    lines, gross = connection.execute(summed).one()
    noted = select(note.customer_id, note.line_count, note.amount).where(
        note.credit_note_id.in_(question.credit_note_ids)
    )
    notes = connection.execute(noted).all()
    return Totals(
        orders=len(buyers),
        lines=lines,
        gross=gross or Decimal(0),
        guests=sum(not buyer for buyer in buyers),
        customers=frozenset(filter(None, buyers)),
        credit_notes=len(notes),
        credit_lines=sum(each.line_count for each in notes),
        credited=sum((each.amount for each in notes), Decimal(0)),
        credited_customers=frozenset(each.customer_id for each in notes if each.customer_id),
    )
