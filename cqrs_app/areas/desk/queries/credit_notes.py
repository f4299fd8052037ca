"""The list of credit notes, guests' too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, Connection, select

from cqrs_app.areas.desk.queries.filters import within
from cqrs_app.areas.desk.queries.sales import Listed, SalesFilters, place_of
from cqrs_app.areas.desk.read_models import credit_notes
from cqrs_app.areas.orders.commands import VIEW_CUSTOMERS
from cqrs_app.areas.orders.types import CustomerId
from cqrs_app.kernel import Limit, Page, Sort, query

_NOTE = credit_notes.c


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNoteRow:
    """A credit note; `amount` is a positive number, `customer_id` is empty for a guest."""

    credit_note_id: str
    customer_id: str
    country: str
    currency: str
    amount: Decimal
    line_count: int
    reason: str
    credited_at: datetime


_COLUMNS = [_NOTE[name] for name in CreditNoteRow.__annotations__]


@query(label="Credit notes", permission=VIEW_CUSTOMERS, reads=("customers",), cached=True)
class ListCreditNotes(SalesFilters):
    """Credit notes, the newest first; the days are those of the credit."""

    customer_id: CustomerId = ""
    limit: Limit = 25

    def check(self) -> Iterator[tuple[str, str]]:
        yield from _listed(self).problems(self)


def list_credit_notes(question: ListCreditNotes, connection: Connection) -> Page[CreditNoteRow]:
    return _listed(question).page(connection, lambda row: CreditNoteRow(**row._mapping))


def _listed(question: ListCreditNotes) -> Listed:
    return Listed(
        found=select(*_COLUMNS).where(*_conditions(question)),
        sort=Sort((_NOTE.credited_at, _NOTE.credit_note_id), datetime),
        place=place_of(question, "credited_at"),
    )


def _conditions(question: ListCreditNotes) -> Iterator[ColumnElement[bool]]:
    days = (question.day_from, question.day_to)
    yield from within(_NOTE.credited_day, _NOTE.credited_at, *days)
    for name in ("country", "currency", "customer_id"):
        if value := getattr(question, name):
            yield _NOTE[name] == value
