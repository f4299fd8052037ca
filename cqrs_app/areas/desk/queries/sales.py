"""Filters of sales: shared by the queries of the reports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, TypeVar

from msgspec import Meta
from sqlalchemy import ColumnElement, Connection, Row, Select, Subquery, Table, cast, func, select

from cqrs_app.areas.types import CountryOrNone, CurrencyOrAny
from cqrs_app.kernel import Mark, Page, Place, Query, Sort, mark_problems, page_of

T = TypeVar("T")

BACKWARDS = "The last day is before the first."


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesFilters(Query):
    """All given filters apply. Dates are business days, both ends included."""

    day_from: Annotated[date | None, Meta(title="From")] = None
    day_to: Annotated[date | None, Meta(title="Until")] = None
    country: CountryOrNone = ""
    currency: CurrencyOrAny = ""
    after: Mark = ""
    before: Mark = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A list of groups: the selected columns, their sorting, and where the page starts."""

    found: Select[Any]
    sort: Sort
    place: Place

    def problems(self, question: SalesFilters) -> Iterator[tuple[str, str]]:
        """Used as a query's `check`."""
        if question.day_from and question.day_to and question.day_to < question.day_from:
            yield "day_to", BACKWARDS
        yield from mark_problems(self.place, self.sort)

    def page(self, connection: Connection, make: Callable[[Row[Any]], T]) -> Page[T]:
        return page_of(self.found, self.place, self.sort, connection, make)


def place_of(question: Any, sort: str, *, descending: bool = True) -> Place:
    """Where the requested page starts."""
    return Place(
        sort=sort,
        descending=descending,
        after=question.after,
        before=question.before,
        limit=question.limit,
    )


def grouped(table: Table, by: tuple[str, ...], question: SalesFilters) -> Subquery:
    """The table's figures summed over the matching rows, one row per group."""
    return (
        select(*(table.c[name] for name in by), *sums(table))
        .where(*conditions(question, table))
        .group_by(*(table.c[name] for name in by))
        .subquery()
    )


def sums(table: Table) -> Iterator[ColumnElement[Any]]:
    """The sum of each figure, under the figure's name."""
    for column in table.c:
        if not column.primary_key:
            # PostgreSQL returns sums of bigint as numeric.
            yield cast(func.sum(column), column.type).label(column.name)


def conditions(filters: SalesFilters, table: Table) -> Iterator[ColumnElement[bool]]:
    """The filters as SQL, for a table of figures by day, country and currency."""
    if filters.day_from is not None:
        yield table.c.day >= filters.day_from
    if filters.day_to is not None:
        yield table.c.day <= filters.day_to
    for name in ("country", "currency"):
        if value := getattr(filters, name):
            yield table.c[name] == value
