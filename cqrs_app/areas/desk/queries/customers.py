"""Customers as their orders show them: the list, one with accounts and credit notes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import Connection, Row, select

from cqrs_app.areas.desk.read_models import credit_notes, customer_accounts
from cqrs_app.areas.orders.commands import VIEW_CUSTOMERS
from cqrs_app.areas.orders.types import CustomerId
from cqrs_app.kernel import Count, ListQuery, Page, Query, Sort, query, words_begin

_ACCOUNT = customer_accounts.c
_TIES = (_ACCOUNT.customer_id, _ACCOUNT.currency)
SORTS = MappingProxyType(
    {
        "customer_id": Sort(_TIES, str),
        "name": Sort((_ACCOUNT.name, *_TIES), str),
        "orders": Sort((_ACCOUNT.orders, *_TIES), int),
        "placed_value": Sort((_ACCOUNT.placed_value, *_TIES), Decimal),
    }
)
MOST_CREDIT_NOTES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """A customer's account in one currency. `cancelled_value` includes rejected orders;
    `credited` is a positive number; the times are those of the orders, in UTC."""

    customer_id: str
    currency: str
    name: str
    country: str
    orders: int
    placed_value: Decimal
    cancelled_value: Decimal
    credit_notes: int
    credited: Decimal
    first_order_at: datetime | None
    last_order_at: datetime | None


_COLUMNS = [_ACCOUNT[name] for name in AccountRow.__annotations__]


@query(
    label="Customers",
    permission=VIEW_CUSTOMERS,
    reads=("customers",),
    cached=True,
    step_up=True,
    personal=True,
)
class ListCustomers(ListQuery):
    """One page of accounts; `q` holds beginnings of words in the customer's number or name."""

    sorts = SORTS
    q: Annotated[str, Meta(title="Search", max_length=200)] = ""
    sort: Literal["customer_id", "name", "orders", "placed_value"] = "customer_id"
    descending: bool = False
    count: Count = False


def list_customers(question: ListCustomers, connection: Connection) -> Page[AccountRow]:
    found = select(*_COLUMNS).where(_ACCOUNT.merged_into == "")
    if question.q.strip():
        found = found.where(words_begin(_ACCOUNT.search, question.q))
    return question.page(found, connection, _account)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditedLineView:
    """One line of a credit note."""

    sku: str
    description: str
    quantity: int
    unit_price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNoteView:
    """A credit note; `amount` is a positive number."""

    credit_note_id: str
    currency: str
    amount: Decimal
    line_count: int
    reason: str
    credited_at: datetime
    lines: tuple[CreditedLineView, ...]


_NOTE = list(CreditNoteView.__annotations__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerView:
    """One customer; name and country are those of the newest order. The newest credit notes, at
    most MOST_CREDIT_NOTES of them."""

    customer_id: str
    name: str
    country: str
    accounts: tuple[AccountRow, ...]
    credit_notes: tuple[CreditNoteView, ...]


@query(
    label="Customer",
    permission=VIEW_CUSTOMERS,
    reads=("customers",),
    cached=True,
    personal=True,
)
class GetCustomer(Query):
    """The customer of this number; None if there is none."""

    customer_id: CustomerId


def get_customer(question: GetCustomer, connection: Connection) -> CustomerView | None:
    found = (
        select(*_COLUMNS)
        .where(_ACCOUNT.customer_id == question.customer_id, _ACCOUNT.merged_into == "")
        .order_by(_ACCOUNT.last_order_at.desc().nulls_last(), _ACCOUNT.currency)
    )
    accounts = tuple(_account(row) for row in connection.execute(found))
    if not accounts:
        return None
    notes = (
        select(*(credit_notes.c[name] for name in _NOTE))
        .where(credit_notes.c.customer_id == question.customer_id)
        .order_by(credit_notes.c.credited_at.desc(), credit_notes.c.credit_note_id)
        .limit(MOST_CREDIT_NOTES)
    )
    return CustomerView(
        customer_id=question.customer_id,
        name=accounts[0].name,
        country=accounts[0].country,
        accounts=accounts,
        credit_notes=tuple(_credit_note(row) for row in connection.execute(notes)),
    )


def _account(row: Row[Any]) -> AccountRow:
    return AccountRow(**row._mapping)


def _credit_note(row: Row[Any]) -> CreditNoteView:
    lines = msgspec.json.decode(row.lines, type=tuple[CreditedLineView, ...])
    return CreditNoteView(**{**row._mapping, "lines": lines})
