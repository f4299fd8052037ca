"""The countries and currencies of orders, offered by filters."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Column, Connection, func, select

from cqrs_app.areas.desk.read_models import orders
from cqrs_app.areas.orders.commands import VIEW
from cqrs_app.kernel import Query, query


@dataclass(frozen=True, slots=True)
class Choices:
    """In alphabetical order of the stored values."""

    countries: tuple[str, ...]
    currencies: tuple[str, ...]


@query(label="Countries and currencies", permission=VIEW, reads=("orders",), cached=True)
class OrderChoices(Query):
    """The countries and currencies that any order has."""


def order_choices(question: OrderChoices, connection: Connection) -> Choices:
    return Choices(_values(orders.c.country, connection), _values(orders.c.currency, connection))


def _values(column: Column[str], connection: Connection) -> tuple[str, ...]:
    """The distinct values of a column, one index step for each; DISTINCT would read all rows."""
    found = select(func.min(column).label("value")).cte("found", recursive=True)
    following = select(func.min(column)).where(column > found.c.value).scalar_subquery()
    more = select(following).where(found.c.value.is_not(None))
    found = found.union_all(more)
    some = select(found.c.value).where(found.c.value.is_not(None), found.c.value != "")
    return tuple(connection.execute(some).scalars())
