"""Customers merged into others: which number their orders and credit count for."""

from __future__ import annotations

from sqlalchemy import Table

from cqrs_app.areas.customers.events import CustomerMerged
from cqrs_app.kernel import Rows


def merge(table: Table, event: CustomerMerged, rows: Rows) -> None:
    """Record the merge, also for customers merged into this one earlier."""
    for row in rows.where(table, into=event.customer_id):
        row["into"] = event.into
    rows.put(table, customer_id=event.customer_id, into=event.into)


def kept(table: Table, customer_id: str, rows: Rows) -> str:
    """The number now used for this customer; empty for a guest."""
    row = rows.get(table, customer_id) if customer_id else None
    return row["into"] if row else customer_id
