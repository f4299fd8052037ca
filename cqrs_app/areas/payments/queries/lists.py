"""Lists of payments, of one order's payments, and of unsettled ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, Literal

from msgspec import Meta
from sqlalchemy import ColumnElement, Connection, Row, func, or_, select

from cqrs_app.areas.payments.read_models import payments
from cqrs_app.areas.payments.words import PaymentStatus
from cqrs_app.areas.types import OrderId, OrderIdOrAny
from cqrs_app.kernel import (
    MOST_COUNTS,
    Count,
    ListQuery,
    Page,
    Permission,
    Query,
    Role,
    Sort,
    counts_of,
    query,
)

VIEW = Permission("payments.view", Role.VIEWER)
MOST_OF_AN_ORDER = 200

_PAYMENT = payments.c
SORTS = MappingProxyType(
    {
        "started_at": Sort((_PAYMENT.started_at, _PAYMENT.payment_id), datetime),
        "amount": Sort((_PAYMENT.amount, _PAYMENT.payment_id), Decimal),
        "payment_id": Sort((_PAYMENT.payment_id,), str),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRow:
    """A payment with its sums, in its currency. `disputed` is what is in dispute now, `lost` what
    was lost in disputes; `waiting` counts requests without an answer, `flagged` answers to review;
    times in UTC.
    """

    payment_id: str
    order_id: str
    gateway: str
    method: str
    currency: str
    amount: Decimal
    status: PaymentStatus
    authorised: Decimal
    captured: Decimal
    refunded: Decimal
    disputed: Decimal
    lost: Decimal
    uncaptured: Decimal
    waiting: int
    flagged: int
    started_at: datetime
    updated_at: datetime
    applied_version: int


_COLUMNS = [_PAYMENT[name] for name in PaymentRow.__annotations__]


@query(label="Payments", permission=VIEW, reads=("payments",), cached=True)
class ListPayments(ListQuery):
    """One page of the payments that match. `show`: unsettled ones (an answer is pending, an amount
    is authorised and not captured, or an answer is flagged), those in dispute, or those with
    answers to review.
    """

    sorts = SORTS
    q: Annotated[
        str,
        Meta(title="Search", description="A payment's or an order's number.", max_length=200),
    ] = ""
    show: Literal["all", "unsettled", "disputed", "flagged"] = "all"
    order_id: OrderIdOrAny = ""
    status: Annotated[PaymentStatus | None, Meta(title="Status")] = None
    sort: Literal["started_at", "amount", "payment_id"] = "started_at"
    descending: bool = True
    count: Count = False


def list_payments(question: ListPayments, connection: Connection) -> Page[PaymentRow]:
    found = select(*_COLUMNS).where(*_conditions(question))
    return question.page(found, connection, _row)


@query(label="Payments in views", permission=VIEW, reads=("payments",), cached=True, listed=False)
class CountPaymentViews(Query):
    """How many payments each of these questions finds."""

    views: Annotated[tuple[ListPayments, ...], Meta(max_length=MOST_COUNTS)]


def count_payment_views(question: CountPaymentViews, connection: Connection) -> tuple[int, ...]:
    found = (select(_PAYMENT.payment_id).where(*_conditions(each)) for each in question.views)
    return counts_of(found, connection)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentTotals:
    """The sums of an order's payments in one currency."""

    currency: str
    authorised: Decimal
    captured: Decimal
    refunded: Decimal
    disputed: Decimal
    lost: Decimal


@dataclass(frozen=True, slots=True)
class PaymentsOfOrder:
    """The newest payments first, at most MOST_OF_AN_ORDER; the totals are of all of them."""

    payments: tuple[PaymentRow, ...]
    totals: tuple[PaymentTotals, ...]


@query(label="Payments of an order", permission=VIEW, reads=("payments",), cached=True)
class OrderPayments(Query):
    """The payments of one order, and their sums in each currency."""

    order_id: OrderId


def order_payments(question: OrderPayments, connection: Connection) -> PaymentsOfOrder:
    mine = _PAYMENT.order_id == question.order_id
    newest = (_PAYMENT.started_at.desc(), _PAYMENT.payment_id)
    found = select(*_COLUMNS).where(mine).order_by(*newest).limit(MOST_OF_AN_ORDER)
    names = [name for name in PaymentTotals.__annotations__ if name != "currency"]
    sums = (func.sum(_PAYMENT[name]).label(name) for name in names)
    totals = select(_PAYMENT.currency, *sums).where(mine).group_by(_PAYMENT.currency)
    return PaymentsOfOrder(
        tuple(_row(row) for row in connection.execute(found)),
        tuple(
            PaymentTotals(**row._mapping)
            for row in connection.execute(totals.order_by(_PAYMENT.currency))
        ),
    )


def _conditions(question: ListPayments) -> Iterator[ColumnElement[bool]]:
    if question.show == "unsettled":
        yield _PAYMENT.unsettled.is_(True)
    if question.show == "disputed":
        yield _PAYMENT.disputed > Decimal(0)
    if question.show == "flagged":
        yield _PAYMENT.unsettled.is_(True) & (_PAYMENT.flagged > 0)
    if number := question.q.strip():
        forms = (number, number.upper())
        yield or_(_PAYMENT.payment_id.in_(forms), _PAYMENT.order_id.in_(forms))
    if question.order_id:
        yield _PAYMENT.order_id == question.order_id
    if question.status:
        yield _PAYMENT.status == str(question.status)


def _row(row: Row[Any]) -> PaymentRow:
    return PaymentRow(**{**row._mapping, "status": PaymentStatus(row.status)})
