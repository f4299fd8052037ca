"""Queries about registered customers: the list, its counts, and one customer with their history."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, Connection, Row, or_, select

from cqrs_app.areas.customers.read_models import (
    customer_counts,
    customer_history,
    customer_profiles,
)
from cqrs_app.areas.customers.types import CustomerId
from cqrs_app.areas.customers.words import CustomerStatus
from cqrs_app.kernel import (
    MOST_COUNTS,
    Count,
    ListQuery,
    Page,
    Permission,
    Query,
    Role,
    Rows,
    Sort,
    among,
    counts_of,
    query,
    words_begin,
)

VIEW = Permission("customers.view", Role.VIEWER)
MOST_CHOSEN = 10_000
"""Customers of one page that is chosen for a batch."""
READS = ("customer_profiles",)

_PROFILE = customer_profiles.c
_TIE = _PROFILE.customer_id
SORTS = MappingProxyType(
    {
        "customer_id": Sort((_TIE,), str),
        "name": Sort((_PROFILE.name, _TIE), str),
        "registered_at": Sort((_PROFILE.registered_at, _TIE), datetime),
    }
)


SHORTEST_PHONE = 7
"""The fewest digits that are searched for inside phone numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileView:
    """A registered customer. Name, e-mail, phone, country and parts of the address may be empty.
    For an erased customer each value that was known reads "erased", except the country.
    `merged_into` is the number used instead, or empty.
    """

    customer_id: str
    status: CustomerStatus
    name: str
    email: str
    phone: str
    merged_into: str
    country: str
    line1: str
    line2: str
    postal_code: str
    city: str
    registered_at: datetime
    applied_version: int


_COLUMNS = [_PROFILE[name] for name in ProfileView.__annotations__]


@query(
    label="Registered customers",
    permission=VIEW,
    reads=READS,
    cached=True,
    step_up=True,
    personal=True,
)
class ListRegisteredCustomers(ListQuery):
    """One page of customers; `q` holds beginnings of words in number, name, e-mail or phone."""

    sorts = SORTS
    q: Annotated[str, Meta(title="Search", max_length=200)] = ""
    status: Annotated[CustomerStatus | None, Meta(title="Status")] = None
    sort: Literal["customer_id", "name", "registered_at"] = "customer_id"
    descending: bool = False
    count: Count = False


def list_registered_customers(
    question: ListRegisteredCustomers, connection: Connection
) -> Page[ProfileView]:
    return question.page(select(*_COLUMNS).where(*_conditions(question)), connection, _row)


def _conditions(question: ListRegisteredCustomers) -> Iterator[ColumnElement[bool]]:
    if question.status is not None:
        yield _PROFILE.status == str(question.status)
    if question.q.strip():
        yield _matching(question.q)


@query(label="Customers in views", permission=VIEW, reads=READS, cached=True, listed=False)
class CountCustomerViews(Query):
    """How many customers each of these questions finds."""

    views: Annotated[tuple[ListRegisteredCustomers, ...], Meta(max_length=MOST_COUNTS)]


def count_customer_views(question: CountCustomerViews, connection: Connection) -> tuple[int, ...]:
    found = (select(_PROFILE.customer_id).where(*_conditions(each)) for each in question.views)
    return counts_of(found, connection)


@dataclass(frozen=True, slots=True)
class ChosenCustomer:
    """A customer with the version that the row includes."""

    subject: str
    version: int


@query(label="Customers for a batch", permission=VIEW, reads=READS, listed=False)
class ChooseCustomers(ListRegisteredCustomers):
    """One page of the customers that match. `ids` names them instead."""

    ids: Annotated[tuple[str, ...], Meta(max_length=MOST_CHOSEN)] = ()
    limit: Annotated[int, Meta(ge=1, le=MOST_CHOSEN)] = MOST_CHOSEN


def choose_customers(question: ChooseCustomers, connection: Connection) -> Page[ChosenCustomer]:
    found = select(*_COLUMNS).where(*_conditions(question))
    if question.ids:
        found = found.where(among(_PROFILE.customer_id, question.ids))
    return question.page(
        found, connection, lambda row: ChosenCustomer(row.customer_id, row.applied_version)
    )


def _matching(written: str) -> ColumnElement[bool]:
    """Search by beginnings of words; a phone number also by its middle, so that it is found with or
    without its country code.
    """
    found = words_begin(_PROFILE.search, written)
    if not is_phone(written):
        return found
    digits = re.sub(r"\D", "", written.replace("(0)", "")).lstrip("0")
    return or_(found, _PROFILE.search.contains(digits))


def is_phone(written: str) -> bool:
    """Whether the text can only be a phone number, or part of one."""
    digits = re.sub(r"\D", "", written).lstrip("0")
    return len(digits) >= SHORTEST_PHONE and not re.search(r"[^\d\s+()./-]", written)


def is_contact(written: str) -> bool:
    """Whether the text is part of a phone number or of an e-mail address."""
    return "@" in written or is_phone(written)


@dataclass(frozen=True, slots=True)
class StatusCount:
    """How many customers have this status."""

    status: CustomerStatus
    customers: int


@query(label="Customers by status", permission=VIEW, reads=READS, cached=True)
class CountCustomers(Query):
    """How many registered customers there are of each status."""


def count_customers(question: CountCustomers, connection: Connection) -> tuple[StatusCount, ...]:
    columns = customer_counts.c
    rows = connection.execute(select(columns.status, columns.customers))
    found = {row.status: row.customers for row in rows}
    return tuple(StatusCount(status, found.get(str(status), 0)) for status in CustomerStatus)


@query(label="Customer profile", permission=VIEW, reads=READS, cached=True, personal=True)
class GetCustomerProfile(Query):
    """The profile of one customer; None if the customer is not registered."""

    customer_id: CustomerId


def get_profile(question: GetCustomerProfile, connection: Connection) -> ProfileView | None:
    found = select(*_COLUMNS).where(_PROFILE.customer_id == question.customer_id)
    row = connection.execute(found).first()
    return _row(row) if row else None


def fold_profile(question: GetCustomerProfile, rows: Rows) -> ProfileView | None:
    row = rows.get(customer_profiles, question.customer_id)
    return _profile(row) if row else None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One entry of the history: `at` is when it happened, `recorded_at` when it was recorded.
    `detail` holds pairs of a name and a text.
    """

    version: int
    at: datetime
    recorded_at: datetime
    operator: str
    type: str
    label: str
    detail: tuple[tuple[str, str], ...]
    command_id: str


_ENTRY = list(HistoryEntry.__annotations__)


@query(label="Customer history", permission=VIEW, reads=READS, cached=True, personal=True)
class CustomerHistory(Query):
    """All that happened to one registered customer, oldest first."""

    customer_id: CustomerId


def get_history(question: CustomerHistory, connection: Connection) -> tuple[HistoryEntry, ...]:
    found = (
        select(*(customer_history.c[name] for name in _ENTRY))
        .where(customer_history.c.customer_id == question.customer_id)
        .order_by(customer_history.c.version)
    )
    return tuple(_entry(row) for row in connection.execute(found).mappings())


def fold_history(question: CustomerHistory, rows: Rows) -> tuple[HistoryEntry, ...]:
    return tuple(_entry(row) for row in rows.all(customer_history))


@query(label="What may be done with a customer", permission=VIEW)
class CustomerActions(Query):
    """The actions on one customer, each allowed or with the reason why not."""

    customer_id: CustomerId


def _row(row: Row[Any]) -> ProfileView:
    return _profile(row._mapping)


def _profile(row: Mapping[Any, Any]) -> ProfileView:
    values = {name: row[name] for name in ProfileView.__annotations__}
    return ProfileView(**values | {"status": CustomerStatus(row["status"])})


def _entry(row: Mapping[Any, Any]) -> HistoryEntry:
    pairs = msgspec.json.decode(row["detail"], type=tuple[tuple[str, str], ...])
    return HistoryEntry(**{name: row[name] for name in _ENTRY} | {"detail": pairs})
