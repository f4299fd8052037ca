"""Customers as their orders and credit notes show them: an account per customer and currency."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

import msgspec
from sqlalchemy import Table

from cqrs_app.areas.customers.events import CustomerMerged
from cqrs_app.areas.desk.projections.merged import kept, merge
from cqrs_app.areas.desk.read_models import accounts_of_merged, credit_notes, customer_accounts
from cqrs_app.areas.orders.events import (
    CreditNoteRecorded,
    OrderAssigned,
    OrderCancelled,
    OrderLinesChanged,
    OrderPlaced,
    OrderRejected,
    RemainingItemsCancelled,
)
from cqrs_app.areas.orders.types import PERSON
from cqrs_app.kernel import (
    Key,
    Projection,
    Recorded,
    Row,
    Rows,
    SubjectErased,
    erased,
    index_words,
    word_column,
)
from cqrs_app.standards.countries import country_name

_COUNTED = ("orders", "placed_value", "cancelled_value", "credit_notes", "credited")


class CustomersProjection(Projection):
    """A guest has no account; a guest's credit note is kept nevertheless."""

    name: ClassVar[str] = "customers"
    by_day: ClassVar[bool] = True
    version: ClassVar[int] = 4
    tables: ClassVar[tuple[Table, ...]] = (customer_accounts, credit_notes, accounts_of_merged)

    def touched(self, recorded: Recorded) -> Iterator[tuple[Table, Key]]:
        event: Any = recorded.event
        if not isinstance(event, SubjectErased | CustomerMerged) and event.customer_id:
            yield accounts_of_merged, (event.customer_id,)
            yield customer_accounts, (event.customer_id, event.currency)

    def order_placed(self, event: OrderPlaced, recorded: Recorded, rows: Rows) -> None:
        if not event.customer_id:
            return
        row = _account(rows, event.customer_id, event.currency, recorded)
        row["orders"] += 1
        row["placed_value"] += event.total
        _name_account(row, event, recorded.occurred_at)

    def order_assigned(self, event: OrderAssigned, recorded: Recorded, rows: Rows) -> None:
        """The times of the former account stay: they cover every order it ever had."""
        value = event.total + event.cancelled
        if event.former_customer_id:
            former = _account(rows, event.former_customer_id, event.currency, recorded)
            former["orders"] -= 1
            former["placed_value"] -= value
            former["cancelled_value"] -= event.cancelled
        row = _account(rows, event.customer_id, event.currency, recorded)
        row["orders"] += 1
        row["placed_value"] += value
        row["cancelled_value"] += event.cancelled
        _name_account(row, event, event.placed_at)

    def customer_merged(self, event: CustomerMerged, recorded: Recorded, rows: Rows) -> None:
        for row in rows.where(customer_accounts, customer_id=event.customer_id):
            into = _account(rows, event.into, row["currency"], recorded)
            _add_account(into, row)
            row.update(dict.fromkeys(_COUNTED, 0), merged_into=event.into)
        for note in rows.where(credit_notes, customer_id=event.customer_id):
            note["customer_id"] = event.into
        merge(accounts_of_merged, event, rows)

    def order_rejected(self, event: OrderRejected, recorded: Recorded, rows: Rows) -> None:
        self._give_up(event.customer_id, event.currency, event.total, recorded, rows)

    def order_cancelled(self, event: OrderCancelled, recorded: Recorded, rows: Rows) -> None:
        self._give_up(event.customer_id, event.currency, event.total, recorded, rows)

    def remaining_items_cancelled(
        self, event: RemainingItemsCancelled, recorded: Recorded, rows: Rows
    ) -> None:
        self._give_up(event.customer_id, event.currency, event.amount, recorded, rows)

    def order_lines_changed(self, event: OrderLinesChanged, recorded: Recorded, rows: Rows) -> None:
        if event.customer_id:
            row = _account(rows, event.customer_id, event.currency, recorded)
            row["placed_value"] += event.difference

    def credit_note_recorded(
        self, event: CreditNoteRecorded, recorded: Recorded, rows: Rows
    ) -> None:
        rows.put(
            credit_notes,
            credit_note_id=event.credit_note_id,
            customer_id=kept(accounts_of_merged, event.customer_id, rows),
            country=country_name(event.country),
            currency=event.currency,
            amount=event.amount,
            line_count=len(event.lines),
            reason=event.reason,
            credited_at=recorded.occurred_at,
            credited_day=recorded.day,
            recorded_at=recorded.recorded_at,
            lines=msgspec.json.encode(event.lines).decode(),
            applied_version=recorded.version,
        )
        if not event.customer_id:
            return
        row = _account(rows, event.customer_id, event.currency, recorded)
        row["credit_notes"] += 1
        row["credited"] += event.amount
        row["country"] = row["country"] or country_name(event.country)

    def subject_erased(self, event: SubjectErased, recorded: Recorded, rows: Rows) -> None:
        customer_id = event.subject.removeprefix(PERSON)
        for row in rows.where(customer_accounts, customer_id=customer_id):
            row["name"] = erased(row["name"])
            row["search"] = _search(customer_id, row["name"])

    def _give_up(
        self, customer_id: str, currency: str, total: Decimal, recorded: Recorded, rows: Rows
    ) -> None:
        if customer_id:
            _account(rows, customer_id, currency, recorded)["cancelled_value"] += total


def _account(rows: Rows, customer_id: str, currency: str, recorded: Recorded) -> Row:
    customer_id = kept(accounts_of_merged, customer_id, rows)
    if rows.get(customer_accounts, customer_id, currency) is None:
        rows.put(
            customer_accounts,
            customer_id=customer_id,
            currency=currency,
            name="",
            search=_search(customer_id, ""),
            country="",
            orders=0,
            placed_value=Decimal(0),
            cancelled_value=Decimal(0),
            credit_notes=0,
            credited=Decimal(0),
            merged_into="",
        )
    row = rows.change(customer_accounts, customer_id, currency)
    row["applied_position"] = recorded.stored.position or 0
    return row


def _add_account(into: Row, row: Row) -> None:
    """Here too the newest order decides name and country."""
    for name in _COUNTED:
        into[name] += row[name]
    first, last = row["first_order_at"], row["last_order_at"]
    if last and _is_latest(into["last_order_at"], last):
        into |= {"name": row["name"] or into["name"], "country": row["country"]}
        into["search"] = _search(into["customer_id"], into["name"])
        into["last_order_at"] = last
    into["country"] = into["country"] or row["country"]
    if first:
        into["first_order_at"] = min(first, into["first_order_at"] or first)


def _name_account(row: Row, event: OrderPlaced | OrderAssigned, at: datetime) -> None:
    """The newest order decides name and country, in whatever order the events arrive."""
    if _is_latest(row["last_order_at"], at):
        row["name"] = event.customer_name or row["name"]
        row["country"] = country_name(event.country)
        row["search"] = _search(row["customer_id"], row["name"])
        row["last_order_at"] = at
    row["first_order_at"] = min(at, row["first_order_at"] or at)


def _search(customer_id: str, name: str) -> str:
    return word_column(index_words([name], [customer_id]))


def _is_latest(last: datetime | None, at: datetime) -> bool:
    return last is None or at >= last
